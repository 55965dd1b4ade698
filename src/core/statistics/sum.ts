// One sum for the whole module: compensated (Neumaier 1974), so that a long series of small values
// behind a large one still counts.

/** The sum of the values, as if rounded once. NaN and infinities propagate; empty: 0. */
export function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  let rest = 0;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? 0;
    const next = sum + value;
    rest += roundingOf(sum, value, next);
    sum = next;
  }
  return Number.isFinite(sum) ? sum + rest : sum;
}

/** What `sum` = a + b lost by rounding, exactly (Knuth's two-sum). */
export function roundingOf(a: number, b: number, sum: number): number {
  const bKept = sum - a;
  return a - (sum - bKept) + (b - bKept);
}
