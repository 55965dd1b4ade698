// The bytes of a block while it is written: one buffer that grows and is used again, and the names
// that the block has met. It knows numbers, texts and requests (see block-layout.ts), not records.
//
//   W1  begin() makes room for everything of a record but its texts; a text makes room for itself
//       and keeps that room. So single writes check nothing, and end() checks once.

import { assert } from '../../base/assert.ts';
import { isCount } from '../../base/numbers.ts';
import { timeMax } from './block-layout.ts';
import { idBytes, RequestIds } from './request-ids.ts';

const firstBytes = 96 * 1024;
const countBytesMax = 5;

/** Is it a whole number of at most 32 bits, without a sign? */
export function isWord(value: number): boolean {
  return value >>> 0 === value;
}

/** Writes a varint of at most 32 bits; the place behind it. */
function put(bytes: Uint8Array, from: number, value: number): number {
  let at = from;
  let rest = value;
  while (rest > 127) {
    bytes[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[at] = rest;
  return at + 1;
}

function isTime(at: number): boolean {
  return Number.isInteger(at) && at >= 0 && at < timeMax;
}

function isWide(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 255) return true;
  return false;
}

export class BlockWriter {
  #bytes = new Uint8Array(firstBytes);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  /** Bytes that the record being written may still need, texts aside. */
  #margin = 0;
  readonly #requests = new RequestIds();
  readonly #texts = new Map<string, number>();
  /** The last text of each lane, and its number. */
  readonly #laneTexts: (string | undefined)[];
  readonly #laneNumbers: Uint32Array;
  #previousTime = 0;
  #previousCursor = 0;

  constructor(lanes: number) {
    this.#laneTexts = new Array(lanes).fill(undefined);
    this.#laneNumbers = new Uint32Array(lanes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at + idBytes * this.#requests.count;
  }

  /** Begins a record of at most `bytesMax` bytes, texts aside. */
  begin(bytesMax: number): void {
    this.#margin = bytesMax;
    this.#makeRoom(0);
  }

  end(): void {
    assert(this.#at <= this.#bytes.length, 'W1: a record needed more room than it asked for');
  }

  byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    if (isWord(value)) this.#at = put(this.#bytes, this.#at, value);
    else this.#longVarint(value);
  }

  #longVarint(value: number): void {
    if (!isCount(value)) assert(false, `${value} is no whole number from 0 to 2^53 - 1`);
    let rest = value;
    while (rest > 127) {
      this.byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  /** A whole number between -2^51 and 2^51. */
  signed(value: number): void {
    const low = value | 0;
    if (low === value && low < 0x40000000 && low >= -0x40000000) {
      this.#at = put(this.#bytes, this.#at, (low << 1) ^ (low >> 31));
    } else {
      this.varint(value < 0 ? -2 * value - 1 : 2 * value);
    }
  }

  /** A byte and three numbers of at most 32 bits: ten times in a record, so in one step. */
  figures(bits: number, a: number, b: number, c: number): void {
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = bits;
    this.#at = put(bytes, put(bytes, put(bytes, at + 1, a), b), c);
  }

  double(value: number): void {
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** A value of unsigned 32 bits. */
  word(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  /** Unix ms, whole. */
  time(at: number): void {
    if (at === this.#previousTime) {
      this.byte(0);
      return;
    }
    // Words are made for a fault only: making them for each assert costs more than the record.
    if (!isTime(at))
      assert(false, `the time of a record is ${at}, but must be whole ms below 2^50`);
    this.signed(at - this.#previousTime);
    this.#previousTime = at;
  }

  /** A value of unsigned 32 bits that mostly goes up by little. */
  cursor(value: number): void {
    const step = (value - this.#previousCursor) | 0;
    this.varint(((step << 1) ^ (step >> 31)) >>> 0);
    this.#previousCursor = value;
  }

  /** A lower-case UUID. */
  request(id: string): void {
    this.varint(this.#requests.numberOf(id));
  }

  /**
   * A text that comes again: a name, a path, a code. Each member has a lane, which remembers its
   * last text: mostly a comparison takes the place of the look-up.
   */
  text(lane: number, text: string): void {
    if (this.#laneTexts[lane] === text) {
      this.varint(this.#laneNumbers[lane] as number);
      return;
    }
    const known = this.#texts.get(text);
    const number = known ?? this.#texts.size + 1;
    this.#laneTexts[lane] = text;
    this.#laneNumbers[lane] = number;
    if (known === undefined) {
      this.#texts.set(text, number);
      this.byte(0);
      this.long(text);
    } else {
      this.varint(number);
    }
  }

  /** A text that does not come again. */
  long(text: string): void {
    const wide = isWide(text);
    this.#makeRoom(8 + (wide ? 2 : 1) * text.length);
    this.varint(2 * text.length + (wide ? 1 : 0));
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      bytes[at++] = unit;
      if (wide) bytes[at++] = unit >> 8;
    }
    this.#at = at;
  }

  /** The payload of its own; the next block begins. */
  take(): Uint8Array {
    const count = this.#requests.count;
    const payload = new Uint8Array(this.length + countBytesMax);
    const ids = put(payload, 0, count);
    this.#requests.pack(payload, ids);
    const records = ids + idBytes * count;
    payload.set(this.#bytes.subarray(0, this.#at), records);
    const length = records + this.#at;
    this.#clear();
    return payload.subarray(0, length);
  }

  #clear(): void {
    this.#at = 0;
    this.#requests.clear();
    this.#texts.clear();
    this.#laneTexts.fill(undefined);
    this.#previousTime = 0;
    this.#previousCursor = 0;
  }

  /** Room for `extra` bytes and then the margin of the record. */
  #makeRoom(extra: number): void {
    const needed = this.#at + extra + this.#margin;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
