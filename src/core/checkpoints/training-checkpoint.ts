// A training checkpoint: the state of a model in training, saved at one step, from which the run can
// go on. Not to be confused with replay checkpoints (core/resilience), which are places in a history.
//
//             complete                  markCorrupted
//   creating ──────────> complete ─────────────────────> corrupted
//      │  └───────────────────────────────────────────────> │
//      │          markCorrupted  │                           │
//      └──────────────> deleted <┴───────────────────────────┘
//
// An incremental checkpoint holds only what changed since its parent, so it is worth nothing without
// its *checkpoint chain*: parent, parent's parent, down to a full one. An emergency checkpoint is
// written when a failure is noticed; it holds everything, like a full one.

import { compareNumbers, compareText } from '../../base/compare.ts';
import type { Instant } from '../../base/time.ts';

/** The exact words on the wire, in the order of life. */
export const checkpointStates = ['creating', 'complete', 'corrupted', 'deleted'] as const;
export type CheckpointState = (typeof checkpointStates)[number];

export const checkpointTypes = ['full', 'incremental', 'emergency'] as const;
export type CheckpointType = (typeof checkpointTypes)[number];

export type CheckpointMetrics = { readonly [key: string]: number };

export type TrainingCheckpoint = {
  readonly checkpointId: string;
  readonly trainingRunId: string;
  readonly epoch: number;
  readonly step: number;
  readonly type: CheckpointType;
  readonly state: CheckpointState;
  /** 0 until complete. */
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly createdAt: Instant;
  /** Of incremental ones only. */
  readonly parentId?: string | undefined;
  readonly metrics: CheckpointMetrics;
  /** Empty until complete. */
  readonly storagePath: string;
  /** How many ranks report a shard each before it may be complete; 0 when one writer saves it all. */
  readonly ranks: number;
};

export type CheckpointsById = ReadonlyMap<string, TrainingCheckpoint>;

/** Everything but the tombstones. */
export function isLive(checkpoint: TrainingCheckpoint): boolean {
  return checkpoint.state !== 'deleted';
}

/** The order within a run: ascending step, then time of creation, then id. */
export function compareInRun(a: TrainingCheckpoint, b: TrainingCheckpoint): number {
  return (
    compareNumbers(a.step, b.step) ||
    compareNumbers(a.createdAt, b.createdAt) ||
    compareText(a.checkpointId, b.checkpointId)
  );
}
