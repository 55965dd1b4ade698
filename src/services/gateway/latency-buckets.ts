// Latency in logarithmic buckets of 9 per cent (eight to a doubling), so that reports of threads
// add up and a percentile of the sum is known to within half a bucket. From 10 us to about 20 min.

const perDoubling = 8;
const floorMs = 0.01;
export const bucketCount = 216;

export function bucketOf(ms: number): number {
  if (!(ms > floorMs)) return 0;
  const index = Math.ceil(Math.log2(ms / floorMs) * perDoubling);
  return Math.min(index, bucketCount - 1);
}

/** The geometric middle of a bucket, ms. */
export function bucketMiddleMs(bucket: number): number {
  return floorMs * 2 ** ((bucket - 0.5) / perDoubling);
}

/** Nearest-rank percentile over bucket counts; null without samples. `q` in (0, 1]. */
export function percentileMs(counts: ArrayLike<number>, q: number): number | null {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i] ?? 0;
  if (total === 0) return null;
  let rank = Math.max(1, Math.ceil(q * total));
  for (let i = 0; i < counts.length; i++) {
    rank -= counts[i] ?? 0;
    if (rank <= 0) return bucketMiddleMs(i);
  }
  return bucketMiddleMs(counts.length - 1);
}
