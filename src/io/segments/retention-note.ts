// What retention leaves where it removed segments: a note in the folder of the stream, on disk
// before the first file goes. It tells what is missing on purpose from what is missing, and where
// the chain goes on. A crash between the two leaves segments that the note counts as removed;
// reading passes over them and the next turn of the keeper removes them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '../../base/canonical.ts';
import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { isMissing, writePrivateFile } from '../files/private-file.ts';
import { errorCode } from './segment-fault.ts';
import { retentionNoteName } from './segment-names.ts';
import type { StreamStart } from './stream-chain.ts';

type RetentionNote = {
  /** Segments up to this number, itself included. */
  readonly removedThrough: number;
  /** Of its seal; null when that could not be read any more. */
  readonly hash: string | null;
  /** Of the first record behind it. */
  readonly sequence: number | null;
};

function isWhole(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= most;
}

/** By hand: a schema library for one note would be loaded into every gateway thread. */
function noteOf(value: unknown): Result<RetentionNote, Fault<'bad_note'>> {
  const bad = (words: string) => err(fault('bad_note', words));
  if (typeof value !== 'object' || value === null) return bad('it is no object');
  const { removedThrough, hash, sequence, ...others }: Readonly<Record<string, unknown>> = {
    ...value,
  };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return bad(`${unknown} is no member of it`);
  if (!isWhole(removedThrough, 0xffff_fffe))
    return bad(`removedThrough is ${String(removedThrough)}`);
  if (sequence !== null && !isWhole(sequence, Number.MAX_SAFE_INTEGER)) {
    return bad(`sequence is ${String(sequence)}`);
  }
  const isHash = typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash);
  if (hash !== null && !isHash) return bad(`hash is ${String(hash)}`);
  return ok({ removedThrough, hash, sequence });
}

/** The note of a stream's folder; undefined where nothing was removed. */
export function readRetentionNote(
  streamFolder: string,
): Result<RetentionNote | undefined, Fault<'bad_note'>> {
  const path = join(streamFolder, retentionNoteName);
  try {
    return noteOf(JSON.parse(readFileSync(path, 'utf8')));
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
