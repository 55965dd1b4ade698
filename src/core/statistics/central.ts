// Where the middle of a sample is (platform specification A.13). Arithmetic propagates NaN; what
// ranks its values leaves NaN out first.

import { ranked } from './percentile.ts';
import { sumOf } from './sum.ts';

/** The arithmetic mean, also where the sum itself would leave the range of doubles. Empty: 0. */
export function mean(values: ArrayLike<number>): number {
  const n = values.length;
  if (n === 0) return 0;
  const sum = sumOf(values);
  return Number.isFinite(sum) ? sum / n : sumOf(Float64Array.from(values, (value) => value / n));
}

/** The middle value, or the mean of the two middle values. NaN is left out; empty: 0. */
export function median(values: Iterable<number>): number {
  const ascending = ranked(values);
  const n = ascending.length;
  return mean(ascending.subarray(Math.max(0, Math.ceil(n / 2) - 1), Math.floor(n / 2) + 1));
}

/** sum(v w) / sum(w). Empty, lists of two lengths, or weights that sum to 0: 0. */
export function weightedMean(values: ArrayLike<number>, weights: ArrayLike<number>): number {
  if (values.length !== weights.length) return 0;
  const weight = sumOf(weights);
  if (weight === 0) return 0;
  return sumOf(Float64Array.from(values, (value, at) => value * (weights[at] ?? 0))) / weight;
}

/**
 * The mean without the truncate(n x share) smallest and as many largest values. NaN is left out
 * before; `share` from 0, at least 0.5 or nothing left: 0.
 */
export function trimmedMean(values: Iterable<number>, share: number): number {
  if (!(share < 0.5)) return 0;
  const ascending = ranked(values);
  const dropped = Math.max(0, Math.trunc(ascending.length * share));
  return mean(ascending.subarray(dropped, ascending.length - dropped));
}
