// The bytes of a block while it is read: the other half of block-writer.ts. It trusts nothing.
//
//   R1  No byte outside of the payload is read, and nothing larger than the payload is allocated.
//   R2  After the first fault every read answers 0 or '' at once, and the fault stays the first one.

import { type ErrorCode, isErrorCode } from '../../errors/catalogue.ts';
import { timeMax } from './block-layout.ts';
import { idAt, idBytes } from './request-ids.ts';

/** 53 bits in groups of 7. */
const varintBytesMax = 8;
/** Code units that are made a text at once: arguments of one call. */
const unitsAtOnce = 1024;

type BrokenPlace = {
  /** Byte of the payload. */
  readonly offset: number;
  /** Words that follow “the block”. */
  readonly reason: string;
};

export class BlockReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  #at = 0;
  #end = 0;
  #idsFrom = 0;
  #idCount = 0;
  readonly #texts: string[] = [];
  #previousTime = 0;
  #previousCursor = 0;
  #broken: BrokenPlace | undefined;

  /** The first fault; undefined as long as all is well. */
  get broken(): BrokenPlace | undefined {
    return this.#broken;
  }

  /** Offset of the next byte. */
  get offset(): number {
    return this.#at;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  /** Begins with another payload, of which the bytes are borrowed until the next one. */
  open(payload: Uint8Array): void {
    const { buffer, byteOffset, byteLength } = payload;
    this.#bytes = new Uint8Array(buffer, byteOffset, byteLength);
    this.#view = new DataView(buffer, byteOffset, byteLength);
    this.#at = 0;
    this.#end = byteLength;
    this.#texts.length = 0;
    this.#previousTime = 0;
    this.#previousCursor = 0;
    this.#broken = undefined;
    this.#openIds();
  }

  #openIds(): void {
    const count = this.varint();
    if (count * idBytes > this.left) {
      this.breakAt(0, `names ${count} requests, but has ${this.left} bytes for them`);
      return;
    }
    this.#idsFrom = this.#at;
    this.#idCount = count;
    this.#at += count * idBytes;
  }

  /** Notes the first fault; everything after it reads as nothing. */
  breakAt(offset: number, reason: string): void {
    this.#broken ??= { offset, reason };
    this.#at = this.#end;
  }

  byte(): number {
    if (this.#at < this.#end) return this.#bytes[this.#at++] as number;
    this.breakAt(this.#at, 'ends within a record');
    return 0;
  }

  varint(): number {
    if (this.#at < this.#end) {
      const first = this.#bytes[this.#at] as number;
      if (first < 128) {
        this.#at += 1;
        return first;
      }
      if (this.#at + 1 < this.#end) {
        const second = this.#bytes[this.#at + 1] as number;
        if (second < 128) {
          this.#at += 2;
          return (first & 127) | (second << 7);
        }
      }
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    const from = this.#at;
    let value = 0;
    let unit = 1;
    for (let group = 0; group < varintBytesMax; group++) {
      const byte = this.byte();
      value += (byte & 127) * unit;
      unit *= 128;
      if (byte < 128) {
        if (value <= Number.MAX_SAFE_INTEGER) return value;
        break;
      }
    }
    this.breakAt(from, 'holds a number beyond 2^53');
    return 0;
  }

  signed(): number {
    const folded = this.varint();
    if (folded < 0x80000000) return (folded >>> 1) ^ -(folded & 1);
    return folded % 2 === 1 ? -(folded + 1) / 2 : folded / 2;
  }

  double(): number {
    if (this.left < 8) {
      this.breakAt(this.#at, 'ends within a number');
      return 0;
    }
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8, true);
  }

  word(): number {
    if (this.left < 4) {
      this.breakAt(this.#at, 'ends within a number');
      return 0;
    }
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  time(): number {
    const from = this.#at;
    const at = this.#previousTime + this.signed();
    if (at < 0 || at >= timeMax) {
      this.breakAt(from, `holds the time ${at}, which is not within 0..2^50 ms`);
      return 0;
    }
    this.#previousTime = at;
    return at;
  }

  cursor(): number {
    const from = this.#at;
    const folded = this.varint();
    if (folded > 0xffffffff) this.breakAt(from, `holds the cursor step ${folded}`);
    const step = (folded >>> 1) ^ -(folded & 1);
    this.#previousCursor = (this.#previousCursor + step) >>> 0;
    return this.#previousCursor;
  }

  /** The number of a request; its text is {@link idOf}. */
  request(): number {
    const from = this.#at;
    const number = this.varint();
    if (number < this.#idCount) return number;
    this.breakAt(from, `names request ${number}, but has ${this.#idCount}`);
    return 0;
  }

  /** The UUID of a number that {@link request} gave. */
  idOf(number: number): string {
    return idAt(this.#bytes, this.#idsFrom + idBytes * number);
  }

  text(): string {
    const from = this.#at;
    const number = this.varint();
    if (number === 0) {
      const text = this.long();
      this.#texts.push(text);
      return text;
    }
    const known = this.#texts[number - 1];
    if (known !== undefined) return known;
    this.breakAt(from, `names text ${number}, but has told ${this.#texts.length}`);
    return '';
  }

  long(): string {
    const from = this.#at;
    const head = this.varint();
    const wide = head % 2 === 1;
    const length = (head - (wide ? 1 : 0)) / 2;
    const size = wide ? 2 * length : length;
    if (size > this.left) {
      this.breakAt(from, `has a text of ${size} bytes, but ends ${this.left} bytes later`);
      return '';
    }
    const begin = this.#at;
    this.#at += size;
    return this.#units(begin, length, wide);
  }

  #units(from: number, length: number, wide: boolean): string {
    let text = '';
    let units: number[] = [];
    for (let i = 0; i < length; i++) {
      units.push(
        wide ? this.#view.getUint16(from + 2 * i, true) : (this.#bytes[from + i] as number),
      );
      if (units.length === unitsAtOnce) {
        text += String.fromCharCode(...units);
        units = [];
      }
    }
    return text + String.fromCharCode(...units);
  }
}

/** The name of the code that follows; undefined, and a fault, where there is none. */
export function oneOf<Name>(
  reader: BlockReader,
  names: readonly Name[],
  what: string,
): Name | undefined {
  const from = reader.offset;
  const code = reader.byte();
  if (code >= names.length) reader.breakAt(from, `has ${what} ${code}`);
  return names[code];
}

/** An error code; some other one, and a fault, where a text is none. */
export function codeOf(reader: BlockReader): ErrorCode {
  const from = reader.offset;
  const code = reader.text();
  if (isErrorCode(code)) return code;
  reader.breakAt(from, `has the error code ${JSON.stringify(code.slice(0, 60))}`);
  return 'internal_error';
}
