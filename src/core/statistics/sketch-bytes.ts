// A sketch as bytes, for tables and segments: about two bytes for each bucket that holds anything.
//
//   version | dropped | zero | folded | buckets | min max sum rest | (distance count) ...
//    1 byte   varint    varint  zigzag   varint   4 doubles, absent    varints; the first distance
//                                                 without any value    is a zigzag bucket number
//
// Varints are little-endian groups of 7 bits (LEB128), up to 2^53; doubles are little-endian.
// Reading trusts nothing: what is cut short, too long or impossible is refused.

import { fault } from '../../base/fault.ts';
import { err, type Result } from '../../base/result.ts';
import { bucketsMax } from './log-buckets.ts';
import { countOf, type MalformedSketch, type PlainSketch, validSketch } from './sketch-plain.ts';

const version = 1;
const doubleBytes = 8;
/** 53 bits in groups of 7. */
const varintBytesMax = 8;
/** Version, four varints and four doubles. */
const headBytesMax = 1 + 4 * varintBytesMax + 4 * doubleBytes;

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
}

class Writer {
  readonly #view: DataView;
  #length = 0;

  constructor(bytesMax: number) {
    this.#view = new DataView(new ArrayBuffer(bytesMax));
  }

  varint(value: number): void {
    let left = value;
    while (left >= 128) {
      this.#view.setUint8(this.#length++, (left % 128) + 128);
      left = Math.floor(left / 128);
    }
    this.#view.setUint8(this.#length++, left);
  }

  double(value: number): void {
    this.#view.setFloat64(this.#length, value, true);
    this.#length += doubleBytes;
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer.slice(0, this.#length));
  }
}

/** Reads on as long as it can; after the first fault everything is 0 and `fault` says what. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  fault: string | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) this.fault ??= `ends at byte ${this.#at}`;
    this.#at += 1;
    return byte ?? 0;
  }

  varint(): number {
    let value = 0;
    for (let group = 0; group < varintBytesMax; group += 1) {
      const byte = this.byte();
      value += (byte % 128) * 128 ** group;
      if (byte < 128) return value;
    }
    this.fault ??= `has a number of more than ${varintBytesMax} bytes before byte ${this.#at}`;
    return 0;
  }

  double(): number {
    if (this.left < doubleBytes) this.fault ??= `ends within a double at byte ${this.#at}`;
    if (this.fault !== undefined) return 0;
    const { buffer, byteOffset } = this.#bytes;
    const value = new DataView(buffer, byteOffset + this.#at).getFloat64(0, true);
    this.#at += doubleBytes;
    return value;
  }
}

/** The sketch as bytes; at most 16 KiB as long as no bucket holds 2^49 values. */
export function encodedSketch(plain: PlainSketch): Uint8Array {
  const { buckets, counts, dropped, zero, folded } = plain;
  const writer = new Writer(headBytesMax + 2 * varintBytesMax * buckets.length);
  for (const value of [version, dropped, zero, zigzag(folded), buckets.length]) {
    writer.varint(value);
  }
  if (countOf(plain) > 0) {
    for (const value of [plain.min, plain.max, plain.sum, plain.rest]) writer.double(value);
  }
  buckets.forEach((bucket, at) => {
    const before = buckets[at - 1];
    writer.varint(before === undefined ? zigzag(bucket) : bucket - before);
    writer.varint(counts[at] ?? 0);
  });
  return writer.bytes();
}

/** What {@link encodedSketch} wrote; anything else is refused. */
export function decodedSketch(bytes: Uint8Array): Result<PlainSketch, MalformedSketch> {
  const reader = new Reader(bytes);
  const met = reader.byte();
  if (met !== version) return malformed(`has version ${met}, but must have ${version}`);
  const plain = readSketch(reader);
  if (reader.fault !== undefined) return malformed(reader.fault);
  if (reader.left > 0) return malformed(`has ${reader.left} bytes behind its end`);
  return validSketch(plain);
}

function malformed(words: string): Result<PlainSketch, MalformedSketch> {
  return err(fault('malformed_sketch', `the sketch ${words}`));
}

function readSketch(reader: Reader): PlainSketch {
  const dropped = reader.varint();
  const zero = reader.varint();
  const folded = unzigzag(reader.varint());
  const length = reader.varint();
  if (length > bucketsMax) reader.fault ??= `has ${length} buckets, but at most ${bucketsMax}`;
  const some = length > 0 || zero > 0;
  const [min = 0, max = 0, sum = 0, rest = 0] = some
    ? [reader.double(), reader.double(), reader.double(), reader.double()]
    : [];
  const buckets: number[] = [];
  const counts: number[] = [];
  while (buckets.length < length && reader.fault === undefined) {
    const before = buckets.at(-1);
    buckets.push(before === undefined ? unzigzag(reader.varint()) : before + reader.varint());
    counts.push(reader.varint());
  }
  return { buckets, counts, zero, folded, dropped, min, max, sum, rest };
}
