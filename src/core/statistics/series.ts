// Rules over a series in its order (platform specification A.13). Arithmetic propagates NaN.

import { assert } from '../../base/assert.ts';
import { isCount } from '../../base/numbers.ts';
import { MovingAverage } from './moving-average.ts';

/**
 * The means of all full windows, n - window + 1 of them. `window` 0 or no values: []; `window`
 * above n: one value, the mean of all.
 */
export function movingAverage(values: ArrayLike<number>, window: number): readonly number[] {
  assert(isCount(window), `a window of ${window} values`);
  const size = Math.min(window, values.length);
  if (size === 0) return [];
  const average = new MovingAverage(size);
  const means: number[] = [];
  for (let at = 0; at < values.length; at += 1) {
    average.add(values[at] ?? 0);
    if (at >= size - 1) means.push(average.mean);
  }
  return means;
}

/** alpha x next + (1 - alpha) x previous: `alpha`, 0 to 1, is the weight of the new value. */
export function ema(previous: number, next: number, alpha: number): number {
  return alpha * next + (1 - alpha) * previous;
}

/** Running totals; as many as values. */
export function cumulativeSum(values: ArrayLike<number>): readonly number[] {
  let total = 0;
  return Array.from(values, (value) => {
    total += value;
    return total;
  });
}

/** (next - previous) / previous as a share. From 0: 0. */
export function rateOfChange(previous: number, next: number): number {
  return previous === 0 ? 0 : (next - previous) / previous;
}

export type Trend = 'rising' | 'falling' | 'stable';

/**
 * Compares the last value with the exponential mean of all, started at the first. `margin` is the
 * distance, in the unit of the values, above which that is a trend. Fewer than 2 values: stable.
 */
export function detectTrend(values: ArrayLike<number>, alpha: number, margin = 1): Trend {
  if (values.length < 2) return 'stable';
  let average = values[0] ?? 0;
  for (let at = 1; at < values.length; at += 1) average = ema(average, values[at] ?? 0, alpha);
  const ahead = (values[values.length - 1] ?? 0) - average;
  if (ahead > margin) return 'rising';
  return ahead < -margin ? 'falling' : 'stable';
}
