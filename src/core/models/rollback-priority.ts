// How urgently a version should be taken back, from what was measured of it and of the version that
// it is compared with. Platform specification C.1, decision.

import { unbounded } from '../../base/numbers.ts';
import type { ValidationResult } from './validation-result.ts';

/** What a rollback is weighed by. */
export type RollbackEvidence = Pick<ValidationResult, 'latencyP99Ms' | 'accuracyScore' | 'errors'>;

/**
 * Growth of the p99 over the baseline's as a fraction; from a baseline of 0 any growth counts 1.
 */
function latencyDegradation(currentMs: number, baselineMs: number): number {
  if (baselineMs <= 0) return currentMs > 0 ? 1 : 0;
  return Math.max(0, (currentMs - baselineMs) / baselineMs);
}

/**
 * How urgently `current` should be rolled back: 10 x errors + 50 x growth of p99 + 100 x loss of
 * accuracy. Higher is more urgent, never negative, 0 for no errors and nothing worse than the
 * baseline. An improvement of one factor does not cancel another. At most the unbounded sentinel.
 */
export function rollbackPriority(current: RollbackEvidence, baseline: RollbackEvidence): number {
  const degradation = latencyDegradation(current.latencyP99Ms, baseline.latencyP99Ms);
  const accuracyLost = Math.max(0, baseline.accuracyScore - current.accuracyScore);
  const priority = 10 * current.errors.length + 50 * degradation + 100 * accuracyLost;
  return Math.min(unbounded, priority);
}
