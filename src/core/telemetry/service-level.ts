// Figures about how a service keeps what it promised (platform specification A.4): how much it does,
// how fast, how long it is up, and how much failing it may still do.

export type LatencyBucket = 'fast' | 'medium' | 'slow';

/** Milliseconds: up to and including 10 is fast, below 100 medium; 100 itself, and NaN, is slow. */
export function latencyBucket(ms: number): LatencyBucket {
  if (ms <= 10) return 'fast';
  return ms < 100 ? 'medium' : 'slow';
}

/** Per *second*, of a duration in milliseconds; 0 for a duration of 0. */
export function throughput(count: number, durationMs: number): number {
  return durationMs === 0 ? 0 : count / (durationMs / 1000);
}

/** Per cent of `total` that was not `down`, both in one unit; 0 for no time at all or more down than that. */
export function uptimePercent(total: number, down: number): number {
  if (total === 0) return 0;
  return down > total ? 0 : ((total - down) / total) * 100;
}

/**
 * What is left of the error budget 1 - target after `elapsed` of `window` (one unit) at the
 * availability `current`; target and current are shares. Never below 0. It is 0 as well for a window
 * of 0 and for nothing elapsed yet, which a page shows as "not started".
 */
export function errorBudgetRemaining(
  target: number,
  current: number,
  window: number,
  elapsed: number,
): number {
  if (window === 0 || elapsed === 0) return 0;
  return Math.max(0, 1 - target - ((1 - current) * elapsed) / window);
}
