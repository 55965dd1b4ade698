// The two figures that every benchmark needs of its rounds.

import { median as medianOf } from '../../src/core/statistics/central.ts';

/** The middle value; of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of no values');
  return medianOf(values);
}

/** Rounded to `digits` decimals, so that a printed figure claims no more than was measured. */
export function rounded(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
