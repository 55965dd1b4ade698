// The variance of each sliding window of a series (platform specification A.13), in time that does
// not depend on the window and without ever taking a value out of a sum: what is subtracted leaves
// its rounding behind, and one large value would spoil everything after it (pandas #63048).
//
//   values   . . . . . . | . . . . . . | . .      blocks of `window` values
//                  [ tail |  head ]               a window is a tail of one block and the head of
//                                                 the next: two parts, joined
//
// The tails of a block are built from its last value backwards, the heads from its first forwards,
// so the pivot of either part lies in every window that the part is used for.

import { assert } from '../../base/assert.ts';
import { isCount } from '../../base/numbers.ts';
import { joined, noSpread, type Spread, varianceOf, withValue } from './moments.ts';

/**
 * For each i the sample variance of the last min(i + 1, window) values; the divisor is that number
 * less 1 while warming up as well. A slice of one: 0. `window` 0: []. NaN stays in its windows.
 */
export function runningVariance(values: ArrayLike<number>, window: number): readonly number[] {
  assert(isCount(window), `a window of ${window} values`);
  if (window === 0) return [];
  const variances: number[] = [];
  let tails: readonly Spread[] = [];
  for (let start = 0; start < values.length; start += window) {
    const end = Math.min(start + window, values.length);
    let head = noSpread;
    for (let at = start; at < end; at += 1) {
      head = withValue(head, values[at] ?? 0);
      variances.push(varianceOf(joined(head, tails[at - start + 1] ?? noSpread)));
    }
    tails = end - start === window ? tailsOf(values, start, end) : [];
  }
  return variances;
}

/** The parts of values[start + k .. end), by k. */
function tailsOf(values: ArrayLike<number>, start: number, end: number): readonly Spread[] {
  const tails: Spread[] = [];
  let tail = noSpread;
  for (let at = end - 1; at >= start; at -= 1) {
    tail = withValue(tail, values[at] ?? 0);
    tails.push(tail);
  }
  return tails.reverse();
}
