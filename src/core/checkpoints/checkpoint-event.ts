// The facts about training checkpoints: what a command answers with, what the event stream
// `checkpoints` stores, and what the state is a fold of. Applying the same events in the same order
// gives the same state, so a restart is a replay.

import type { RestoreCriteria } from './restore-point.ts';
import type { DeletionRule } from './retention-plan.ts';
import type { TrainingCheckpoint } from './training-checkpoint.ts';

/** What one rank has written. */
export type CheckpointShard = {
  /** From 0 to ranks - 1. */
  readonly rank: number;
  readonly sizeBytes: number;
  readonly storagePath: string;
};

export type StoredBytes = Pick<TrainingCheckpoint, 'sizeBytes' | 'storagePath'>;

export type CheckpointCreated = {
  readonly kind: 'checkpoint_created';
  readonly checkpoint: TrainingCheckpoint;
};

export type CheckpointShardReported = {
  readonly kind: 'checkpoint_shard_reported';
  readonly checkpointId: string;
  readonly shard: CheckpointShard;
};

export type CheckpointCompleted = StoredBytes & {
  readonly kind: 'checkpoint_completed';
  readonly checkpointId: string;
};

export type CheckpointMarkedCorrupted = {
  readonly kind: 'checkpoint_marked_corrupted';
  readonly checkpointId: string;
};

export type CheckpointDeleted = {
  readonly kind: 'checkpoint_deleted';
  readonly checkpointId: string;
  readonly rule: DeletionRule;
};

export type RetentionApplied = {
  readonly kind: 'retention_applied';
  /** Ids in the order of deletion; never empty. */
  readonly deleted: readonly string[];
};

export type RestorePointChosen = {
  readonly kind: 'restore_point_chosen';
  readonly criteria: RestoreCriteria;
  /** Ids from the root to the chosen one. */
  readonly chain: readonly string[];
};

export type CheckpointEvent =
  | CheckpointCreated
  | CheckpointShardReported
  | CheckpointCompleted
  | CheckpointMarkedCorrupted
  | CheckpointDeleted
  | RetentionApplied
  | RestorePointChosen;
