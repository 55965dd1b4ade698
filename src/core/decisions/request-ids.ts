// The requests of a block by number: each UUID stands once, as 16 bytes, at the head of the block.
// While records are written only the texts are kept; they become bytes when the block is taken,
// because reading 36 characters costs as much as the rest of a record.

import { assert } from '../../base/assert.ts';

export const idBytes = 16;
const idLength = 36;
const hyphen = 45;
const notHex = 255;
/** Five bits of each of the last two characters, which are random in every version. */
const recentPlaces = 1024;

function hexTable(): Uint8Array {
  const table = new Uint8Array(256).fill(notHex);
  for (let digit = 0; digit < 16; digit++) table[digit.toString(16).charCodeAt(0)] = digit;
  return table;
}

/** Value of a lower-case hexadecimal digit by its code unit. */
const hexValues = hexTable();
const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hexValueAt(id: string, place: number): number {
  return hexValues[id.charCodeAt(place)] ?? notHex;
}

function isHyphenPlace(place: number): boolean {
  return place === 8 || place === 13 || place === 18 || place === 23;
}

/** Writes the 16 bytes of a lower-case UUID; throws for any other text. */
function packId(id: string, bytes: Uint8Array, from: number): void {
  let at = from;
  let wrong = id.length ^ idLength;
  for (let place = 0; place < idLength; place += 2) {
    if (isHyphenPlace(place)) {
      wrong |= id.charCodeAt(place) ^ hyphen;
      place += 1;
    }
    const high = hexValueAt(id, place);
    const low = hexValueAt(id, place + 1);
    wrong |= (high | low) & ~15;
    bytes[at++] = (high << 4) | low;
  }
  if (wrong !== 0) assert(false, `the request id is “${id}”, but must be a lower-case UUID`);
}

/** The UUID whose 16 bytes begin at `from`. */
export function idAt(bytes: Uint8Array, from: number): string {
  let id = '';
  for (let i = 0; i < idBytes; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) id += '-';
    id += hexPairs[bytes[from + i] ?? 0];
  }
  return id;
}

export class RequestIds {
  readonly #ids: string[] = [];
  /** The newest request with these last characters, and its number: a hint, no index. */
  readonly #recent: (string | undefined)[] = new Array(recentPlaces).fill(undefined);
  readonly #numbers = new Uint32Array(recentPlaces);

  get count(): number {
    return this.#ids.length;
  }

  /**
   * The number of the request, from 0. One that the hint has lost gets a second number: that costs
   * 16 bytes and nothing else.
   */
  numberOf(id: string): number {
    const last = id.charCodeAt(idLength - 1) & 31;
    const place = ((id.charCodeAt(idLength - 2) & 31) << 5) | last;
    if (this.#recent[place] === id) return this.#numbers[place] as number;
    const number = this.#ids.length;
    this.#ids.push(id);
    this.#recent[place] = id;
    this.#numbers[place] = number;
    return number;
  }

  /** Writes all of them in order of their numbers. */
  pack(bytes: Uint8Array, from: number): void {
    for (let i = 0; i < this.#ids.length; i++) {
      packId(this.#ids[i] as string, bytes, from + idBytes * i);
    }
  }

  clear(): void {
    this.#ids.length = 0;
    this.#recent.fill(undefined);
  }
}
