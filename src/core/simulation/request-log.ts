// What became of every offered request, in columns: one number each for a million requests at once.
//
//   L1  Every request is told to end exactly once.

import { assert } from '../../base/assert.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';

export class RequestLog {
  readonly size: number;
  /** Microseconds from arrival to the first byte at the gateway; NaN without one. */
  readonly firstUs: Float64Array;
  /** Microseconds from arrival to the end. */
  readonly totalUs: Float64Array;
  /** Output tokens of an answered request. */
  readonly tokens: Uint32Array;
  /** Slot that answered; -1 for none. */
  readonly slots: Int32Array;
  /** Why a request was refused; undefined for an answered one. */
  readonly #codes: (ErrorCode | undefined)[];
  readonly #ended: Uint8Array;
  #endedCount = 0;

  constructor(size: number) {
    this.size = size;
    this.firstUs = new Float64Array(size).fill(Number.NaN);
    this.totalUs = new Float64Array(size).fill(Number.NaN);
    this.tokens = new Uint32Array(size);
    this.slots = new Int32Array(size).fill(-1);
    this.#codes = new Array<ErrorCode | undefined>(size).fill(undefined);
    this.#ended = new Uint8Array(size);
  }

  get endedCount(): number {
    return this.#endedCount;
  }

  answered(index: number, slot: number, tokens: number, totalUs: number): void {
    this.#end(index, totalUs);
    this.slots[index] = slot;
    this.tokens[index] = tokens;
  }

  refused(index: number, code: ErrorCode, totalUs: number): void {
    this.#end(index, totalUs);
    this.#codes[index] = code;
  }

  /** The code of a refused request; undefined for an answered one. */
  codeOf(index: number): ErrorCode | undefined {
    return this.#codes[index];
  }

  #end(index: number, totalUs: number): void {
    assert(index < this.size && this.#ended[index] === 0, `L1: request ${index} ended twice`);
    this.#ended[index] = 1;
    this.#endedCount++;
    this.totalUs[index] = totalUs;
  }
}
