// How far the values of a sample lie apart (platform specification A.13), and which lie too far.
// The sample form, divisor n - 1, is the default everywhere (conflict C8).

import { mean } from './central.ts';
import { ranked } from './percentile.ts';
import { sumOf } from './sum.ts';

/**
 * The sum of squared deviations from the mean, in two passes over distances from the first value:
 * those are exact where a huge mean hides a tiny spread, and all 0 for a constant series.
 */
function squaredDeviations(values: ArrayLike<number>): number {
  const pivot = values[0] ?? 0;
  const distances = Float64Array.from(values, (value) => value - pivot);
  const centre = mean(distances);
  return sumOf(distances.map((distance) => (distance - centre) ** 2));
}

/** squared deviations / (n - ddof). Fewer than 2 values, or no divisor left: 0. NaN propagates. */
export function variance(values: ArrayLike<number>, ddof = 1): number {
  const n = values.length;
  return n < 2 || n <= ddof ? 0 : squaredDeviations(values) / (n - ddof);
}

/** The square root of the variance, in the unit of the values. */
export function stddev(values: ArrayLike<number>, ddof = 1): number {
  return Math.sqrt(variance(values, ddof));
}

/** Sum of v^2. */
export function sumOfSquares(values: ArrayLike<number>): number {
  return sumOf(Float64Array.from(values, (value) => value * value));
}

/**
 * Interquartile range: of the ascending values element floor(3n/4) less element floor(n/4). NaN is
 * left out; fewer than 4: 0. Never negative.
 */
export function iqr(values: Iterable<number>): number {
  const ascending = ranked(values);
  const n = ascending.length;
  if (n < 4) return 0;
  const upper = ascending[Math.floor((3 * n) / 4)] ?? 0;
  const lower = ascending[Math.floor(n / 4)] ?? 0;
  return upper > lower ? upper - lower : 0;
}

/** (v - centre) / sd: how many deviations the value lies above the mean. sd 0: 0. */
export function zScore(value: number, centre: number, sd: number): number {
  return sd === 0 ? 0 : (value - centre) / sd;
}

/** (v - min) / (max - min), not clamped. No span: 0. */
export function minMaxNormalize(value: number, min: number, max: number): number {
  const span = max - min;
  return span === 0 ? 0 : (value - min) / span;
}

/**
 * Indices, ascending, of the values whose |z-score| is above `limit`. Fewer than 2 values or no
 * spread: none. One NaN leaves no mean to compare with: none.
 */
export function outlierIndices(values: ArrayLike<number>, limit: number): readonly number[] {
  const sd = stddev(values);
  if (sd === 0) return [];
  const centre = mean(values);
  const found: number[] = [];
  for (let at = 0; at < values.length; at += 1) {
    if (Math.abs(zScore(values[at] ?? 0, centre, sd)) > limit) found.push(at);
  }
  return found;
}
