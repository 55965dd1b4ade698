// What a validation run measured of one version, and whether that meets an agreement. Platform
// specification C.1.

import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { percentileOfRanked, ranked } from '../statistics/percentile.ts';
import { formatVersion, type ModelVersion } from './version.ts';

export type ValidationResult = {
  readonly modelId: string;
  readonly version: ModelVersion;
  readonly passed: boolean;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  /** A fraction, 0..1. */
  readonly accuracyScore: number;
  readonly errors: readonly string[];
};

export type LatencyFigures = Pick<ValidationResult, 'latencyP50Ms' | 'latencyP99Ms'>;

/** Errors kept of one validation. */
export const validationErrorsMax = 1000;

/**
 * The two latency fields of a result from raw samples in milliseconds, by nearest rank and not
 * averaged. NaN is left out; absent when nothing was measured, since no sample is not a fast one.
 */
export function latencyFigures(samplesMs: Iterable<number>): LatencyFigures | undefined {
  const ascending = ranked(samplesMs);
  if (ascending.length === 0) return undefined;
  return {
    latencyP50Ms: percentileOfRanked(ascending, 50),
    latencyP99Ms: percentileOfRanked(ascending, 99),
  };
}

/**
 * Every field at fault: latencies finite and p50 <= p99, accuracy within 0..1, errors at most
 * 1000.
 */
function violationsOf(result: ValidationResult): readonly Violation[] {
  const { latencyP50Ms, latencyP99Ms, accuracyScore, errors } = result;
  const violations: Violation[] = [];
  if (!Number.isFinite(latencyP50Ms) || latencyP50Ms < 0) {
    const bound = 'finite and at least 0';
    violations.push({ field: 'latencyP50Ms', value: latencyP50Ms, bound });
  }
  if (!Number.isFinite(latencyP99Ms) || latencyP99Ms < latencyP50Ms || latencyP99Ms < 0) {
    const bound = 'finite and at least latencyP50Ms';
    violations.push({ field: 'latencyP99Ms', value: latencyP99Ms, bound });
  }
  if (!(accuracyScore >= 0 && accuracyScore <= 1)) {
    violations.push({ field: 'accuracyScore', value: accuracyScore, bound: 'within 0..1' });
  }
  if (errors.length > validationErrorsMax) {
    const bound = `at most ${validationErrorsMax}`;
    violations.push({ field: 'errors.length', value: errors.length, bound });
  }
  return violations;
}

/**
 * The result as a frozen copy, or every field at fault. Whether the version exists is not asked.
 */
export function checkedValidation(
  result: ValidationResult,
): Result<ValidationResult, Fault<'invalid_validation'>> {
  const violations = violationsOf(result);
  if (violations.length > 0) {
    const subject = `validation of ${result.modelId} ${formatVersion(result.version)}`;
    return err(invalid('invalid_validation', subject, violations));
  }
  return ok(
    Object.freeze({
      ...result,
      version: Object.freeze({ ...result.version }),
      errors: Object.freeze([...result.errors]),
    }),
  );
}

/** p99 <= `maxP99Ms` and accuracy >= `minAccuracy`, both inclusive; false for NaN. */
export function meetsSla(
  result: Pick<ValidationResult, 'latencyP99Ms' | 'accuracyScore'>,
  maxP99Ms: number,
  minAccuracy: number,
): boolean {
  return result.latencyP99Ms <= maxP99Ms && result.accuracyScore >= minAccuracy;
}
