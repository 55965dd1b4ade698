// What retention leaves where it removed segments: a note in the folder of the stream, on disk
// before the first file goes. It tells what is missing on purpose from what is missing, and where
// the chain goes on. A crash between the two leaves segments that the note counts as removed;
// reading passes over them and the next turn of the keeper removes them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../../base/canonical.ts';
import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { isMissing, writePrivateFile } from '../files/private-file.ts';
import { errorCode } from './segment-fault.ts';
import { retentionNoteName } from './segment-names.ts';
import type { StreamStart } from './stream-chain.ts';

const noteSchema = z.strictObject({
  /** Segments up to this number, itself included. */
  removedThrough: z.int().min(1).max(0xffff_fffe),
  /** Of its seal; null when that could not be read any more. */
  hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  /** Of the first record behind it. */
  sequence: z.int().min(1).nullable(),
});

type RetentionNote = Readonly<z.infer<typeof noteSchema>>;

/** The note of a stream's folder; undefined where nothing was removed. */
export function readRetentionNote(
  streamFolder: string,
): Result<RetentionNote | undefined, Fault<'bad_note'>> {
  const path = join(streamFolder, retentionNoteName);
  try {
    const parsed = noteSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (parsed.success) return ok(parsed.data);
    return err(fault('bad_note', z.prettifyError(parsed.error)));
  } catch (error) {
    if (isMissing(error)) return ok(undefined);
    return err(fault('bad_note', errorCode(error)));
  }
}

/** Replaces the note; it is on disk on return. */
export function writeRetentionNote(streamFolder: string, note: RetentionNote): void {
  writePrivateFile(join(streamFolder, retentionNoteName), `${canonicalJson(note)}\n`);
}

/** Where the chain goes on behind what was removed. */
export function startBehind(note: RetentionNote): StreamStart {
  return {
    number: note.removedThrough + 1,
    hash: note.hash === null ? undefined : Buffer.from(note.hash, 'hex'),
    sequence: note.sequence ?? undefined,
  };
}
