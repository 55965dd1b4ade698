// Percentiles by nearest rank, and none where the sample is too small to have one: p99 of forty
// requests is the worst of them under another name.

export type Percentiles = {
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
};

/** How many samples a percentile needs before it is told. */
export const samplesNeeded = { p50: 1, p95: 20, p99: 100 } as const;

/** The smallest sample that at least `share` of all samples do not exceed; `share` in (0, 1]. */
export function nearestRank(ascending: readonly number[], share: number): number | undefined {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)];
}

export function percentilesOf(samples: readonly number[]): Percentiles {
  const ascending = [...samples].sort((a, b) => a - b);
  const at = (share: number, needed: number): number | null =>
    ascending.length < needed ? null : (nearestRank(ascending, share) ?? null);
  return {
    count: ascending.length,
    p50: at(0.5, samplesNeeded.p50),
    p95: at(0.95, samplesNeeded.p95),
    p99: at(0.99, samplesNeeded.p99),
  };
}
