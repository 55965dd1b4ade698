// Which checkpoint to go on from. The score says why one is better than another; the choice itself is
// made with the comparator, because the recency in the score, step / (step + 1), is the same double
// for all late steps.

import { compareNumbers, compareText } from '../../base/compare.ts';
import type { TrainingCheckpoint } from './training-checkpoint.ts';

export type RestoreCriteria = {
  readonly trainingRunId: string;
  /** Inclusive. */
  readonly maxEpoch?: number | undefined;
  /** Inclusive. */
  readonly maxStep?: number | undefined;
  /** Take nothing that is still being written. */
  readonly requireComplete: boolean;
  readonly preferFull: boolean;
};

/** Platform specification C.3, Decision of selectionScore. */
const scores = { ineligible: -1, complete: 4, preferredFull: 2, incremental: -0.25 } as const;

function isEligible(checkpoint: TrainingCheckpoint, criteria: RestoreCriteria): boolean {
  const { trainingRunId, maxEpoch, maxStep, requireComplete } = criteria;
  if (checkpoint.trainingRunId !== trainingRunId) return false;
  if (maxEpoch !== undefined && !(checkpoint.epoch <= maxEpoch)) return false;
  if (maxStep !== undefined && !(checkpoint.step <= maxStep)) return false;
  return checkpoint.state === 'complete' || (checkpoint.state === 'creating' && !requireComplete);
}

function scoreWithoutRecency(checkpoint: TrainingCheckpoint, criteria: RestoreCriteria): number {
  if (!isEligible(checkpoint, criteria)) return scores.ineligible;
  const { state, type } = checkpoint;
  return (
    (state === 'complete' ? scores.complete : 0) +
    (criteria.preferFull && type === 'full' ? scores.preferredFull : 0) +
    (type === 'incremental' ? scores.incremental : 0)
  );
}

/**
 * Higher is better; -1 when ineligible: another run, beyond a bound, deleted, corrupted, or not
 * complete while that is required. A maximum that is NaN admits nothing.
 */
export function selectionScore(checkpoint: TrainingCheckpoint, criteria: RestoreCriteria): number {
  const score = scoreWithoutRecency(checkpoint, criteria);
  if (score === scores.ineligible) return score;
  return score + checkpoint.step / (checkpoint.step + 1);
}

/**
 * The order of choice, best first: score without recency, then step, epoch and time of creation, all
 * descending, then id.
 */
export function compareForRestore(
  criteria: RestoreCriteria,
): (a: TrainingCheckpoint, b: TrainingCheckpoint) => number {
  return (a, b) =>
    compareNumbers(scoreWithoutRecency(b, criteria), scoreWithoutRecency(a, criteria)) ||
    compareNumbers(b.step, a.step) ||
    compareNumbers(b.epoch, a.epoch) ||
    compareNumbers(b.createdAt, a.createdAt) ||
    compareText(a.checkpointId, b.checkpointId);
}

/** The best of the eligible ones; absent when there is none. */
export function chooseRestorePoint(
  candidates: Iterable<TrainingCheckpoint>,
  criteria: RestoreCriteria,
): TrainingCheckpoint | undefined {
  const compare = compareForRestore(criteria);
  let best: TrainingCheckpoint | undefined;
  for (const candidate of candidates) {
    if (!isEligible(candidate, criteria)) continue;
    if (best === undefined || compare(candidate, best) < 0) best = candidate;
  }
  return best;
}
