// Which of several validated models to prefer. Platform specification C.1.

import { compareNumbers, compareText } from '../../base/compare.ts';
import type { ModelMetadata } from './model-metadata.ts';
import type { ValidationResult } from './validation-result.ts';
import { compareVersions } from './version.ts';

export type ModelCandidate = {
  readonly metadata: Pick<ModelMetadata, 'modelId' | 'version' | 'state'>;
  readonly result: Pick<ValidationResult, 'accuracyScore' | 'latencyP99Ms'>;
};

/** Serves traffic, and has figures that can be ranked (0.3: NaN is discarded before ranking). */
function isEligible({ metadata, result }: ModelCandidate): boolean {
  if (metadata.state !== 'production' && metadata.state !== 'canary') return false;
  return !Number.isNaN(result.accuracyScore) && !Number.isNaN(result.latencyP99Ms);
}

/** Accuracy descending, p99 ascending, version descending, model id ascending. */
function bestFirst(a: ModelCandidate, b: ModelCandidate): number {
  return (
    compareNumbers(b.result.accuracyScore, a.result.accuracyScore) ||
    compareNumbers(a.result.latencyP99Ms, b.result.latencyP99Ms) ||
    compareVersions(b.metadata.version, a.metadata.version) ||
    compareText(a.metadata.modelId, b.metadata.modelId)
  );
}

/**
 * The id of the model with the highest accuracy, then the lowest p99, among versions in production
 * or canary; absent when none is eligible.
 */
export function selectBestModel(candidates: readonly ModelCandidate[]): string | undefined {
  return candidates.filter(isEligible).sort(bestFirst)[0]?.metadata.modelId;
}
