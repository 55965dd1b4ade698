// The retention policy of an installation, and what age alone may delete.

import { type Fault, invalid } from '../../base/fault.ts';
import { saturatingDifference } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Instant } from '../../base/time.ts';
import { blankViolations, countViolations } from './checkpoint-validation.ts';
import type { TrainingCheckpoint } from './training-checkpoint.ts';

export type RetentionPolicy = {
  /** Live ones, whatever their state. */
  readonly maxCheckpointsPerRun: number;
  readonly maxAgeSeconds: number;
  /** How many of the best by `metricKey` are kept whatever their age; 0 protects none. */
  readonly keepBestN: number;
  readonly metricKey: string;
  /** True: lower is better. */
  readonly metricAscending: boolean;
};

/** The policy itself, or every field of it that cannot be. */
export function validateRetentionPolicy(
  policy: RetentionPolicy,
): Result<RetentionPolicy, Fault<'invalid_retention_policy'>> {
  const { maxCheckpointsPerRun, maxAgeSeconds, keepBestN, metricKey } = policy;
  const violations = [
    ...countViolations({ maxCheckpointsPerRun, maxAgeSeconds, keepBestN }),
    ...(keepBestN > 0 ? blankViolations({ metricKey }) : []),
  ];
  if (violations.length === 0) return ok(policy);
  return err(invalid('invalid_retention_policy', 'retention policy', violations));
}

export type AgeQuestion = {
  readonly policy: Pick<RetentionPolicy, 'maxAgeSeconds'>;
  /** The highest live step of the run. */
  readonly latestStep: number;
  readonly now: Instant;
  readonly isBest: boolean;
};

/**
 * May age alone delete it? Only when it is not among the best, lies before the latest step, is neither
 * being written nor deleted, and is strictly older than the policy allows.
 */
export function isGcEligible(checkpoint: TrainingCheckpoint, question: AgeQuestion): boolean {
  const { policy, latestStep, now, isBest } = question;
  const { state, step, createdAt } = checkpoint;
  if (isBest || !(step < latestStep) || state === 'creating' || state === 'deleted') return false;
  return saturatingDifference(now, createdAt) > policy.maxAgeSeconds * 1000;
}
