// A new checkpoint, from what a run asks for and what it has. Pure: nothing is stored here.

import { compareText } from '../../base/compare.ts';
import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Instant } from '../../base/time.ts';
import { blankViolations, countViolations } from './checkpoint-validation.ts';
import type {
  CheckpointMetrics,
  CheckpointType,
  TrainingCheckpoint,
} from './training-checkpoint.ts';

/** More than any training has; bounds what one checkpoint may hold in memory. */
export const ranksMax = 65_536;

export type CreateCheckpointRequest = {
  readonly trainingRunId: string;
  readonly epoch: number;
  readonly step: number;
  readonly type: CheckpointType;
  readonly metrics: CheckpointMetrics;
  /** How many ranks will report a shard; absent or 0 when one writer saves it all. */
  readonly ranks?: number | undefined;
};

export type CreatedCheckpoint = {
  readonly checkpoint: TrainingCheckpoint;
  /** An incremental one without anything to build on is made full: it could never be restored. */
  readonly made: 'as_requested' | 'full_without_base';
  /** Metrics that were not finite numbers and are not kept, ascending. */
  readonly droppedMetrics: readonly string[];
};

/** The request itself, or every field of it that cannot be. */
export function validateRequest(
  request: CreateCheckpointRequest,
  now: Instant,
): Result<CreateCheckpointRequest, Fault<'invalid_checkpoint'>> {
  const { trainingRunId, epoch, step, ranks = 0 } = request;
  const violations: readonly Violation[] = [
    ...blankViolations({ trainingRunId }),
    ...countViolations({ epoch, step, ranks, now }),
    ...(ranks > ranksMax ? [{ field: 'ranks', value: ranks, bound: `at most ${ranksMax}` }] : []),
  ];
  if (violations.length === 0) return ok(request);
  return err(invalid('invalid_checkpoint', `checkpoint of run "${trainingRunId}"`, violations));
}

/** The rule of recorders (0.3): what is not finite is dropped and told, and the save is not lost. */
function finiteMetrics(metrics: CheckpointMetrics) {
  const [kept, dropped]: [[string, number][], string[]] = [[], []];
  for (const [key, value] of Object.entries(metrics)) {
    if (Number.isFinite(value)) kept.push([key, value]);
    else dropped.push(key);
  }
  return { kept: Object.fromEntries(kept), dropped: dropped.sort(compareText) };
}

export type NewCheckpoint = {
  readonly checkpointId: string;
  readonly now: Instant;
  /** What it is built on: of an incremental one, and absent when the run has nothing. */
  readonly base: TrainingCheckpoint | undefined;
};

/** The checkpoint in state creating; `request` is valid. */
export function newCheckpoint(
  request: CreateCheckpointRequest,
  { checkpointId, now, base }: NewCheckpoint,
): CreatedCheckpoint {
  const { trainingRunId, epoch, step, ranks = 0 } = request;
  const withoutBase = request.type === 'incremental' && base === undefined;
  const metrics = finiteMetrics(request.metrics);
  const checkpoint: TrainingCheckpoint = {
    checkpointId,
    trainingRunId,
    epoch,
    step,
    type: withoutBase ? 'full' : request.type,
    state: 'creating',
    sizeBytes: 0,
    createdAt: now,
    ...(base === undefined ? {} : { parentId: base.checkpointId }),
    metrics: metrics.kept,
    storagePath: '',
    ranks,
  };
  const made = withoutBase ? 'full_without_base' : 'as_requested';
  return { checkpoint, made, droppedMetrics: metrics.dropped };
}
