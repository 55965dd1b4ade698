// The newest samples themselves, in a ring: exact percentiles of a small window. A sample is one
// store, nothing is shifted; the window is sorted when someone asks and kept sorted until the next
// sample.

import { percentileOfRanked, ranked } from './percentile.ts';

export class ExactWindow {
  readonly #ring: Float64Array;
  #next = 0;
  #isFull = false;
  #ranked: Float64Array | undefined;

  constructor(window: number) {
    this.#ring = new Float64Array(window);
  }

  get count(): number {
    return this.#isFull ? this.#ring.length : this.#next;
  }

  /** `value` is finite. */
  add(value: number): void {
    if (this.#next === this.#ring.length) {
      this.#next = 0;
      this.#isFull = true;
    }
    this.#ring[this.#next] = value;
    this.#next += 1;
    if (this.#ranked !== undefined) this.#ranked = undefined;
  }

  percentile(pct: number): number {
    this.#ranked ??= ranked(this.#ring.subarray(0, this.count));
    return percentileOfRanked(this.#ranked, pct);
  }
}
