// The second sink of seals: a file beside the database, one JSON line per seal, appended only. Who can
// write the table cannot write here, so a table that was written anew, or put back from an old copy,
// differs from what was noted when it was sealed.
//
//   A1  Lines are whole: what a crash left of one is cut off before the next is appended.
//   A2  A line is on disk before the next is written.
//
// The size of the file at one moment is taken first and only so much is read, so that a reader never
// meets a line half written.

import { constants, createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { isMissing } from '../../io/files/private-file.ts';
import { type AnchorWire, anchorSchema } from '../../protocol/audit/schemas.ts';

const chunkBytes = 64 * 1024;
/** Longer than any line: what holds none of them within so many bytes is no anchors file. */
const lineBytesMax = 4096;
const lineBreak = 10;

export type AnchorLine = {
  /** Byte at which the line begins. */
  readonly offset: number;
  /** Undefined for a line that is no anchor. */
  readonly anchor: AnchorWire | undefined;
  readonly text: string;
};

function parseAnchor(text: string): AnchorWire | undefined {
  try {
    return anchorSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function lineOf(bytes: Buffer, offset: number): AnchorLine {
  const text = bytes.toString('utf8');
  return { offset, anchor: parseAnchor(text), text };
}

/** The size of the file in bytes; 0 without one. */
export async function anchorBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/** The whole lines within the first `bytes` of the file, in their order. */
export async function* readAnchorLines(path: string, bytes: number): AsyncGenerator<AnchorLine> {
  if (bytes === 0) return;
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for await (const chunk of createReadStream(path, { end: bytes - 1 })) {
    rest = Buffer.concat([rest, chunk]);
    for (let at = rest.indexOf(lineBreak); at !== -1; at = rest.indexOf(lineBreak)) {
      yield lineOf(rest.subarray(0, at), offset);
      rest = rest.subarray(at + 1);
      offset += at + 1;
    }
    if (rest.length > lineBytesMax) {
      yield { offset, anchor: undefined, text: rest.toString('latin1', 0, 40) };
      return;
    }
  }
}

/** The end of the last whole line, and the bytes of the file's end. */
async function readTail(
  file: FileHandle,
): Promise<{ readonly end: number; readonly tail: Buffer }> {
  const { size } = await file.stat();
  const start = Math.max(0, size - chunkBytes);
  const { buffer } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
  const at = buffer.lastIndexOf(lineBreak);
  return { end: start + at + 1, tail: buffer.subarray(0, at + 1) };
}

function lastSequence(tail: Buffer): number {
  const known = tail
    .toString('utf8')
    .split('\n')
    .map((line) => parseAnchor(line)?.sequence ?? 0);
  return known.reduce((highest, sequence) => Math.max(highest, sequence), 0);
}

export class AnchorFile {
  readonly path: string;
  /** Sequence of the newest anchor; undefined until the file's end was looked at. */
  #newest: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Sequence of the newest anchor in the file, 0 without any. */
  async newest(): Promise<number> {
    this.#newest ??= await this.#repair();
    return this.#newest;
  }

  /** Adds these anchors; where that fails, the file is looked at again before the next. */
  async append(anchors: readonly AnchorWire[]): Promise<void> {
    const last = anchors.at(-1);
    if (last === undefined) return;
    await this.newest();
    this.#newest = undefined;
    const text = anchors.map((anchor) => `${JSON.stringify(anchor)}\n`).join('');
    const file = await open(this.path, 'a', 0o600);
    try {
      await file.appendFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    this.#newest = last.sequence;
  }

  /** Cuts off what a crash left of a line (A1); the sequence of the newest anchor. */
  async #repair(): Promise<number> {
    const file = await open(this.path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      const { end, tail } = await readTail(file);
      const { size } = await file.stat();
      if (size > end) {
        await file.truncate(end);
        await file.sync();
      }
      return lastSequence(tail);
    } finally {
      await file.close();
    }
  }
}
