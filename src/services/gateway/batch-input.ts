// The lines of an input file, one after another, with the byte at which each begins: from there it can
// be read again after a restart. Holds one chunk and one line at a time, whatever the file is.

import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { InputCursor } from '../../io/postgres/inference-batch-store.ts';
import { lineBytesMax } from '../../protocol/openai/batch-line.ts';

export type InputLine = {
  /** From 0 on; lines without text count as well. */
  readonly line: number;
  /** Where it begins. */
  readonly byte: number;
  readonly content:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'too_large' | 'not_utf8' };
};

const lineFeed = 0x0a;

function contentOf(bytes: Buffer): InputLine['content'] | undefined {
  if (!isUtf8(bytes)) return { kind: 'not_utf8' };
  const text = bytes.toString('utf8');
  return text.trim() === '' ? undefined : { kind: 'text', text };
}

/** Lines that hold any text, from `cursor` on, which is where `source` begins. */
export async function* inputLines(
  source: Readable,
  cursor: InputCursor,
): AsyncGenerator<InputLine, InputCursor> {
  let { line, byte } = cursor;
  let held: Buffer[] = [];
  let heldBytes = 0;
  /** The line that these bytes complete; undefined for one without text. */
  const lineOf = (last: Buffer): InputLine | undefined => {
    const length = heldBytes + last.length;
    const content =
      length > lineBytesMax
        ? ({ kind: 'too_large' } as const)
        : contentOf(held.length === 0 ? last : Buffer.concat([...held, last]));
    return content === undefined ? undefined : { line, byte, content };
  };
  for await (const piece of source) {
    const chunk = piece as Buffer;
    let from = 0;
    for (let to = chunk.indexOf(lineFeed); to >= 0; to = chunk.indexOf(lineFeed, from)) {
      const last = chunk.subarray(from, to);
      const complete = lineOf(last);
      byte += heldBytes + last.length + 1;
      line++;
      held = [];
      heldBytes = 0;
      from = to + 1;
      if (complete !== undefined) yield complete;
    }
    heldBytes += chunk.length - from;
    // Of a line that is too long anyway nothing is kept.
    if (heldBytes > lineBytesMax) held = [];
    else held.push(chunk.subarray(from));
  }
  const rest = lineOf(Buffer.alloc(0));
  if (rest !== undefined) yield rest;
  return { line: line + 1, byte: byte + heldBytes };
}
