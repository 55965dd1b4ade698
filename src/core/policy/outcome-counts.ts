// How many requests ended in each slot of time, and how many of them badly: minutes of three days for
// burn rates, days for the error budget of a period. Constant memory; which unit a slot has is the
// caller's to know.
//
//   I1  A slot keeps its counts until as many newer slots as the ring holds have come.
//   I2  Counts for a slot that left the ring are refused, never added to another slot.

import { assert } from '../../base/assert.ts';
import { isCount } from '../../base/numbers.ts';

/** `bad` requests are among the `total`. */
export type Outcomes = { readonly total: number; readonly bad: number };

export class OutcomeCounts {
  readonly #slots: number;
  /** Number of the slot that a place holds; -1 for none. */
  readonly #numbers: Float64Array;
  readonly #totals: Float64Array;
  readonly #bads: Float64Array;

  /** Room for the newest `slots` slots, at least 1. */
  constructor(slots: number) {
    assert(Number.isSafeInteger(slots) && slots >= 1, `${slots} slots`);
    this.#slots = slots;
    this.#numbers = new Float64Array(slots).fill(-1);
    this.#totals = new Float64Array(slots);
    this.#bads = new Float64Array(slots);
  }

  /** Adds to slot `slot`, a count since 1970; false when that slot has left the ring (I2). */
  add(slot: number, { total, bad }: Outcomes): boolean {
    assert(isCount(slot), `slot ${slot}`);
    assert(isCount(total) && isCount(bad), `counts ${total}, ${bad}`);
    assert(bad <= total, `${bad} of ${total} are bad`);
    const place = slot % this.#slots;
    const held = this.#numbers[place] ?? -1;
    if (held > slot) return false;
    if (held < slot) {
      this.#numbers[place] = slot;
      this.#totals[place] = 0;
      this.#bads[place] = 0;
    }
    this.#totals[place] = (this.#totals[place] ?? 0) + total;
    this.#bads[place] = (this.#bads[place] ?? 0) + bad;
    return true;
  }

  /** The counts of one slot; zeros where nothing was added or the slot has left the ring. */
  get(slot: number): Outcomes {
    return this.sum(slot, slot);
  }

  /** The counts of the slots from `first` to `last`, both included. */
  sum(first: number, last: number): Outcomes {
    let total = 0;
    let bad = 0;
    for (let slot = Math.max(0, first, last - this.#slots + 1); slot <= last; slot++) {
      const place = slot % this.#slots;
      if (this.#numbers[place] !== slot) continue;
      total += this.#totals[place] ?? 0;
      bad += this.#bads[place] ?? 0;
    }
    return { total, bad };
  }
}
