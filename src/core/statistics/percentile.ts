// Percentiles of a sample by nearest rank (platform specification A.13), exact and without
// interpolation: the answer is always a value that was measured.

/** The values without NaN, ascending; the input is not changed. */
export function ranked(values: Iterable<number>): Float64Array {
  const copy = values instanceof Float64Array ? values.slice() : Float64Array.from(values);
  // The order of typed arrays is numeric and puts NaN last.
  copy.sort();
  let end = copy.length;
  while (end > 0 && Number.isNaN(copy[end - 1])) end -= 1;
  return copy.subarray(0, end);
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

/**
 * The nearest rank, from 1, of the share `q` (0..1) among `n` values: the smallest rank r with
 * r / n >= q. A product q n within two roundings of a whole number is that number, so that 0.07 of
 * 100 is rank 7. Never falls as q grows.
 */
export function rankOfShare(q: number, n: number): number {
  const exact = q * n;
  const whole = Math.round(exact);
  const isWhole = Math.abs(exact - whole) <= whole * 2 * Number.EPSILON;
  return Math.min(n, Math.max(1, isWhole ? whole : Math.ceil(exact)));
}
