// Percentiles of a sample by nearest rank (platform specification A.13), exact and without
// interpolation: the answer is always a value that was measured.

/** The values without NaN, ascending; the input is not changed. */
export function ranked(values: Iterable<number>): Float64Array {
  return Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort();
}

/**
 * The value at index max(0, ceil(pct n / 100) - 1) of `ascending`, at most its last. `pct` in
 * 0..100. Empty: 0.
 */
export function percentileOfRanked(ascending: ArrayLike<number>, pct: number): number {
  const n = ascending.length;
  const index = Math.max(0, Math.ceil((pct * n) / 100) - 1);
  return ascending[Math.min(index, n - 1)] ?? 0;
}

/** Nearest-rank percentile; `pct` in 0..100, 0 is the smallest value. NaN is left out; empty: 0. */
export function percentile(values: Iterable<number>, pct: number): number {
  return percentileOfRanked(ranked(values), pct);
}
