// Outliers by the median and the median absolute deviation (MAD). Mean and deviation are moved by
// the outliers that they are to find: of ten values none can lie more than 2.85 deviations from
// their mean. The median stays where it is until half of the values are outliers.

import { mean, median } from './central.ts';

/** The limit that Iglewicz and Hoaglin (1993) recommend for modified z-scores. */
const usualLimit = 3.5;
/** What the MAD and the mean absolute deviation of a normal distribution are to its deviation. */
const madOfNormal = 0.6745;
const meanDeviationOfNormal = 0.7979;

/**
 * Indices, ascending, of the values whose |value - median| exceeds `limit` deviations. The deviation
 * is the MAD / 0.6745 or, where more than half of the values are equal, the mean absolute deviation
 * / 0.7979. NaN is left out of the ranking and is no outlier; all values equal: none.
 */
export function robustOutlierIndices(
  values: ArrayLike<number>,
  limit = usualLimit,
): readonly number[] {
  const numbers = Array.from(values).filter((value) => !Number.isNaN(value));
  const centre = median(numbers);
  const distances = numbers.map((value) => Math.abs(value - centre));
  const mad = median(distances);
  const deviation = mad > 0 ? mad / madOfNormal : mean(distances) / meanDeviationOfNormal;
  if (deviation === 0) return [];
  return Array.from(values)
    .map((value, at) => (Math.abs(value - centre) > limit * deviation ? at : -1))
    .filter((at) => at >= 0);
}
