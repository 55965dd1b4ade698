// The serving mode over time, as it was and as a candidate's thresholds would have had it: the moments
// at which either moved. Built from the recorded evaluations in their order, read by time.
//
//   T1  Points ascend in time; two neighbours differ in at least one of the two modes.
//   T2  Before the first point nothing is known, and both are taken to be as recorded.

import { assert } from '../../base/assert.ts';
import type { ServingMode } from '../policy/serving-mode.ts';

export type ModePoint = {
  /** Unix ms. */
  readonly at: number;
  readonly recorded: ServingMode;
  readonly candidate: ServingMode;
};

export class ModeTimeline {
  readonly #points: ModePoint[] = [];

  /** Notes what both were after the evaluation at `point.at`, which is not before the last one. */
  add(point: ModePoint): void {
    const last = this.#points.at(-1);
    assert(
      last === undefined || last.at <= point.at,
      `evaluation at ${point.at} after ${last?.at}`,
    );
    const isSame = last?.recorded === point.recorded && last.candidate === point.candidate;
    if (!isSame) this.#points.push(point);
  }

  /** What was in force at `at`; undefined before the first evaluation. */
  at(at: number): ModePoint | undefined {
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#points[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return this.#points[low - 1];
  }

  /** Every moment from which on the two were other modes, or one mode again. */
  moves(): readonly ModePoint[] {
    return this.#points.filter((point, index) => {
      const before = this.#points[index - 1];
      const differed = before !== undefined && before.recorded !== before.candidate;
      return differed || point.recorded !== point.candidate;
    });
  }
}
