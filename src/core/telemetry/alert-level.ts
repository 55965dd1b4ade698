// When a figure is worth an alert (platform specification A.4). The two rules differ at the threshold
// itself on purpose: a single threshold alerts strictly above, a level begins at its threshold.

export type AlertLevel = 'ok' | 'warning' | 'critical';

/** value > threshold; equality does not alert. */
export function shouldAlert(value: number, threshold: number): boolean {
  return value > threshold;
}

/** `critical` from `critical` on, else `warning` from `warn` on, else `ok`; NaN is `ok`. */
export function alertPriority(value: number, warn: number, critical: number): AlertLevel {
  if (value >= critical) return 'critical';
  return value >= warn ? 'warning' : 'ok';
}

/** Is the value at most `tolerance` away from the target? The distance itself is within. */
export function withinTolerance(value: number, target: number, tolerance: number): boolean {
  return Math.abs(value - target) <= tolerance;
}
