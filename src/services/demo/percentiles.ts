// Percentiles by nearest rank, and none where the sample is too small to have one: p99 of forty
// requests is the worst of them under another name.

import { percentileOfRanked, ranked } from '../../core/statistics/percentile.ts';

export type Percentiles = {
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
};

/** How many samples a percentile needs before it is told. */
export const samplesNeeded = { p50: 1, p95: 20, p99: 100 } as const;

export function percentilesOf(samples: readonly number[]): Percentiles {
  const ascending = ranked(samples);
  const at = (pct: number, needed: number): number | null =>
    ascending.length < needed ? null : percentileOfRanked(ascending, pct);
  return {
    count: ascending.length,
    p50: at(50, samplesNeeded.p50),
    p95: at(95, samplesNeeded.p95),
    p99: at(99, samplesNeeded.p99),
  };
}
