// Comparisons with a threshold that several parties share (platform specification A.2). The
// threshold value itself always belongs to the upper side.

/** Have enough parties arrived: count >= threshold? */
export function barrierReached(count: number, threshold: number): boolean {
  return count >= threshold;
}

/**
 * The values below `threshold`, and all others; input order is kept on both sides. What cannot be
 * compared (NaN) is not below, so that no value is lost.
 */
export function partitionByThreshold(
  values: readonly number[],
  threshold: number,
): readonly [below: readonly number[], atOrAbove: readonly number[]] {
  const below: number[] = [];
  const atOrAbove: number[] = [];
  for (const value of values) (value < threshold ? below : atOrAbove).push(value);
  return [below, atOrAbove];
}

/** Places of a channel: max(producers, consumers) x factor; a factor of 0 gives none. */
export function boundedChannelSize(producers: number, consumers: number, factor: number): number {
  return Math.max(producers, consumers) * factor;
}
