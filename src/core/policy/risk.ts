// The figures that speak for or against a change of the serving mode: kept service-level
// objectives, risk, and error rates. Rows of the platform specification A.8.

/** What was measured against what was promised, in one unit. */
export type SloRecord = { readonly actual: number; readonly slo: number };

/** actual <= slo. */
export function meetsSlo(actual: number, slo: number): boolean {
  return actual <= slo;
}

/** Per cent of the records that meet their objective; 100 without any. */
export function sloPercent(records: readonly SloRecord[]): number {
  if (records.length === 0) return 100;
  const kept = records.filter(({ actual, slo }) => meetsSlo(actual, slo)).length;
  return (kept / records.length) * 100;
}

/** severity x probability. */
export function riskScore(severity: number, probability: number): number {
  return severity * probability;
}

/** The arithmetic mean of the risks; 0 without any. */
export function aggregateRisk(
  events: readonly (readonly [severity: number, probability: number])[],
): number {
  if (events.length === 0) return 0;
  const sum = events.reduce((total, [severity, p]) => total + riskScore(severity, p), 0);
  return sum / events.length;
}

/** Is the rate strictly above the threshold? */
export function escalationNeeded(rate: number, threshold: number): boolean {
  return rate > threshold;
}

/** Does `elapsed` still belong to the grace period? Its end does. */
export function withinGrace(elapsed: number, grace: number): boolean {
  return elapsed <= grace;
}
