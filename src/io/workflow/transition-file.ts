// Transitions of workflows in a file, one line for each, on disk before `append` answers. What a
// line looks like is a rule of the core; it is given to this shell, which knows files and guards
// the lines: whatever the ids are, a file has as many lines as records, and reads back as them.
//
//   I1  A group is in the file whole or not at all: what could not be written to its end is cut off
//       again. Where not even that works, the file takes nothing more until it is opened anew.
//   I2  A line without its line break is the rest of a crash. Nobody was told that it was kept, so
//       it is cut off when the file is opened, and not read. Of a group that a crash broke, whole
//       lines may stay; like every record, they tell what was going to happen.
//   I3  A text with a control character, a line separator or half a surrogate pair is refused: in a
//       file it could pass for two lines, or for the line of another entity.
//
// One process owns the file, as it does the data directory. Writing waits for the disk and holds up
// its thread meanwhile: group what comes in numbers, or use the table.

import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';

export type FiledTransition = {
  readonly entityId: string;
  readonly from: string;
  readonly to: string;
  readonly timestamp: number;
};

/** `auditLine` and `parseAuditLine` of the core. */
type LineFormat = {
  readonly render: (record: FiledTransition) => string;
  /** Undefined for what is no line. */
  readonly parse: (line: string) => FiledTransition | undefined;
};

const chunkBytes = 65_536;
const lineBreak = 0x0a;

/** What in a file could pass for the end of a line, or for other text than it is (I3). */
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** The beginning of a text in quotes, with everything unprintable as a number. */
function escaped(text: string): string {
  const numbered = (found: string) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `"${text.slice(0, 100).replaceAll(new RegExp(unprintable, 'gu'), numbered)}"`;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The offset behind the last line break, 0 when there is none. */
function endOfLastLine(descriptor: number, size: number): number {
  const chunk = Buffer.alloc(chunkBytes);
  for (let end = size; end > 0; end -= Math.min(chunkBytes, end)) {
    const start = Math.max(0, end - chunkBytes);
    const length = readSync(descriptor, chunk, 0, end - start, start);
    const at = chunk.subarray(0, length).lastIndexOf(lineBreak);
    if (at !== -1) return start + at + 1;
  }
  return 0;
}

/** Cuts off what a crash left of a line (I2); the size after it. */
function cutUnfinishedLine(descriptor: number, path: string): number {
  const { size } = fstatSync(descriptor);
  const end = endOfLastLine(descriptor, size);
  if (end === size) return size;
  const first = Buffer.alloc(1);
  readSync(descriptor, first, 0, 1, end);
  // Every line of ours begins so; a file that does not was not written by this program.
  if (first.toString() !== '[') {
    throw new TensorForgeError(
      'bad_state',
      `${path} is no audit file: its last line is not one of ours`,
    );
  }
  ftruncateSync(descriptor, end);
  fsyncSync(descriptor);
  return end;
}

/** Makes a new file's entry in its folder durable. */
function syncFolder(path: string): void {
  const descriptor = openSync(dirname(path), 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export class TransitionFile {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #format: LineFormat;
  /** Bytes of whole lines. */
  #size: number;
  /** Why nothing more is taken (I1). */
  #broken: string | undefined;
  #isOpen = true;

  /**
   * Opens the file, making it (mode 0600) where there is none. Throws `bad_state` for a file that
   * is not of this kind, and the system's error where it cannot be opened.
   */
  constructor(path: string, format: LineFormat) {
    this.#path = path;
    this.#format = format;
    this.#descriptor = openSync(path, 'a+', 0o600);
    try {
      this.#size = cutUnfinishedLine(this.#descriptor, path);
      if (this.#size === 0) syncFolder(path);
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
  }

  /** Keeps all records in their order, or refuses and keeps none. */
  append(
    records: readonly FiledTransition[],
  ): Result<undefined, Fault<'unprintable_record' | 'file_failed'>> {
    if (this.#broken !== undefined) return err(fault('file_failed', this.#broken));
    const lines: string[] = [];
    for (const record of records) {
      const line = this.#format.render(record);
      if (!this.#isFaithful(line, record)) {
        const id = escaped(record.entityId);
        const words = `the record of ${id} cannot be one line of ${this.#path}`;
        return err(fault('unprintable_record', words));
      }
      lines.push(`${line}\n`);
    }
    return this.#write(Buffer.from(lines.join('')));
  }

  /** Gives the file back; `append` refuses from then on. A second call does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#broken = `${this.#path} is closed`;
    closeSync(this.#descriptor);
  }

  #isFaithful(line: string, record: FiledTransition): boolean {
    if (unprintable.test(line)) return false;
    const read = this.#format.parse(line);
    const fields = ['entityId', 'from', 'to', 'timestamp'] as const;
    return read !== undefined && fields.every((field) => read[field] === record[field]);
  }

  #write(bytes: Buffer): Result<undefined, Fault<'file_failed'>> {
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
      fsyncSync(this.#descriptor);
      this.#size += bytes.length;
      return ok(undefined);
    } catch (error) {
      const words = `${this.#path} could not be written: ${wordsOf(error)}`;
      this.#takeBack(words);
      return err(fault('file_failed', words));
    }
  }

  #takeBack(why: string): void {
    try {
      ftruncateSync(this.#descriptor, this.#size);
      fsyncSync(this.#descriptor);
    } catch (error) {
      this.#broken = `${why}, nor be cut back (${wordsOf(error)}); open it anew`;
    }
  }
}

/** The whole lines of a file with their numbers from 1, as bytes. */
function* linesOf(path: string): Generator<readonly [number: number, line: Buffer]> {
  const descriptor = openSync(path, 'r');
  try {
    let rest = Buffer.alloc(0);
    let number = 0;
    for (;;) {
      const chunk = Buffer.alloc(chunkBytes);
      const length = readSync(descriptor, chunk);
      if (length === 0) return;
      rest = Buffer.concat([rest, chunk.subarray(0, length)]);
      for (let at = rest.indexOf(lineBreak); at !== -1; at = rest.indexOf(lineBreak)) {
        number += 1;
        yield [number, rest.subarray(0, at)];
        rest = rest.subarray(at + 1);
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The records of a file in their order, read as they are asked for. Throws `bad_state` at a line
 * that is none of ours, naming it.
 */
export function* readTransitionFile(
  path: string,
  format: Pick<LineFormat, 'parse'>,
): Generator<FiledTransition> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for (const [number, line] of linesOf(path)) {
    let record: FiledTransition | undefined;
    try {
      record = format.parse(decoder.decode(line));
    } catch {
      record = undefined;
    }
    if (record === undefined) {
      throw new TensorForgeError('bad_state', `line ${number} of ${path} is no audit line`);
    }
    yield record;
  }
}
