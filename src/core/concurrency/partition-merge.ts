// Bringing together what several workers found, each in its own partition (specification A.2). The
// results do not depend on which worker was ready first, only on the order of the partitions.

import { compareText } from '../../base/compare.ts';
import { sumOf } from '../statistics/sum.ts';

/** Per key the sum (not the maximum) of both counts. Keys of `a` come first, in their order. */
export function mergeCounts(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const merged = new Map(a);
  for (const [key, count] of b) merged.set(key, (merged.get(key) ?? 0) + count);
  return merged;
}

/**
 * The sum of all values of all partitions, as if rounded once, so that it does not depend on how the
 * values were parted; 0 when there are none.
 */
export function parallelSum(partitions: readonly (readonly number[])[]): number {
  return sumOf(partitions.flat());
}

/**
 * All entries, ascending by *key*, never by value. Entries of one key stay in the order of their
 * partitions, and within a partition in their order there.
 */
export function fanOutMerge<Value>(
  partitions: readonly (readonly (readonly [key: string, value: Value])[])[],
): readonly (readonly [key: string, value: Value])[] {
  return partitions.flat().sort(([a], [b]) => compareText(a, b));
}
