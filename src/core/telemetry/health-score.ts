// One figure for how well a service does, from being there and from being fast.

/** Share of errors, clamped to 1 for dirty input; 0 without any request. NaN stays NaN. */
export function errorRate(total: number, errors: number): number {
  return total <= 0 || errors <= 0 ? 0 : Math.min(1, errors / total);
}

/** 0.6 availability + 0.4 performance, both shares from 0 to 1. */
export function healthScore(availability: number, performance: number): number {
  return 0.6 * availability + 0.4 * performance;
}
