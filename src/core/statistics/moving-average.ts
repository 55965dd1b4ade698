// The mean of the newest values of a stream, in place: one array of the window's size, constant
// time for each value on average.
//
// Nothing is ever subtracted. A running sum that takes out what leaves the window keeps the
// rounding of everything that was ever in it: 1e16 that comes and goes takes the small values with
// it, compensation or not (pandas #37051), and a detector for that must recompute the window again
// and again where the sum is small by nature. Here a window is two sums that only grow:
//
//   ring    [ v v v v | S S S S S ]      v  new values, also summed up in `head`
//                       ^ next           S  at index k the sum of the old values from k to the end
//
// When `next` reaches the end, one pass from the back turns the values into such sums, with
// compensation, and the head starts again at 0. NaN or infinity matters while it is in the window.
//
// I1  The sum of the window is head + ring[next], or head alone at the end.
// I2  Before the first turn the window is ring[0..next), and what is behind it is 0.

import { assert } from '../../base/assert.ts';
import { isCount } from '../../base/numbers.ts';
import { roundingOf } from './sum.ts';

export class MovingAverage {
  readonly #ring: Float64Array;
  #next = 0;
  #turned = false;
  #head = 0;
  #rest = 0;

  /** `window` values, at least 1. */
  constructor(window: number) {
    assert(isCount(window) && window > 0, `a moving average over ${window} values`);
    this.#ring = new Float64Array(window);
  }

  /** How many values the mean is of. */
  get count(): number {
    return this.#turned ? this.#ring.length : this.#next;
  }

  /** The mean of the newest values, at most `window`; 0 before the first. */
  get mean(): number {
    const older = this.#ring[this.#next] ?? 0;
    const sum = Number.isFinite(this.#head)
      ? this.#head + (this.#rest + older)
      : this.#head + older;
    return this.count === 0 ? 0 : sum / this.count;
  }

  add(value: number): void {
    if (this.#next === this.#ring.length) this.#turn();
    this.#ring[this.#next] = value;
    this.#next += 1;
    const head = this.#head + value;
    this.#rest += roundingOf(this.#head, value, head);
    this.#head = head;
  }

  #turn(): void {
    const ring = this.#ring;
    let sum = 0;
    let rest = 0;
    for (let at = ring.length - 1; at >= 0; at -= 1) {
      const value = ring[at] ?? 0;
      const next = sum + value;
      rest += roundingOf(sum, value, next);
      sum = next;
      ring[at] = Number.isFinite(sum) ? sum + rest : sum;
    }
    this.#next = 0;
    this.#turned = true;
    this.#head = 0;
    this.#rest = 0;
  }
}
