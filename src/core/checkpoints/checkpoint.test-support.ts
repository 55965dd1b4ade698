// Builders for the tests of training checkpoints: single records, and a run that saves.

import assert from 'node:assert/strict';
import type { Result } from '../../base/result.ts';
import { instant } from '../../base/time.ts';
import type { CreateCheckpointRequest } from './checkpoint-creation.ts';
import type { RestoreCriteria } from './restore-point.ts';
import type { RetentionPolicy } from './retention.ts';
import type { CheckpointsById, TrainingCheckpoint } from './training-checkpoint.ts';
import { type CheckpointSettings, TrainingCheckpoints } from './training-checkpoints.ts';

/** A complete, full checkpoint of `run-1`; an incremental one as soon as it is given a parent. */
export function checkpoint(
  checkpointId: string,
  facts: Partial<TrainingCheckpoint> = {},
): TrainingCheckpoint {
  return {
    checkpointId,
    trainingRunId: 'run-1',
    epoch: 0,
    step: 0,
    type: facts.parentId === undefined ? 'full' : 'incremental',
    state: 'complete',
    sizeBytes: 100,
    createdAt: instant(0),
    metrics: {},
    storagePath: `checkpoints/${checkpointId}`,
    ranks: 0,
    ...facts,
  };
}

export function byId(...checkpoints: readonly TrainingCheckpoint[]): CheckpointsById {
  return new Map(checkpoints.map((one) => [one.checkpointId, one]));
}

export function idsOf(checkpoints: readonly TrainingCheckpoint[]): readonly string[] {
  return checkpoints.map(({ checkpointId }) => checkpointId);
}

/** Deletes nothing by itself. */
export const keepAll: RetentionPolicy = {
  maxCheckpointsPerRun: 1_000_000,
  maxAgeSeconds: 1_000_000,
  keepBestN: 0,
  metricKey: 'loss',
  metricAscending: true,
};

export function criteria(facts: Partial<RestoreCriteria> = {}): RestoreCriteria {
  return { trainingRunId: 'run-1', requireComplete: true, preferFull: false, ...facts };
}

export function accepted<T, E extends { readonly message: string }>(result: Result<T, E>): T {
  assert.ok(result.ok, result.ok ? '' : result.error.message);
  return result.value;
}

/** `code: message` of a refusal. */
export function refusal(
  result: Result<unknown, { readonly code: string; readonly message: string }>,
): string {
  return result.ok ? 'accepted' : `${result.error.code}: ${result.error.message}`;
}

/** Checkpoints with the ids c-1, c-2, ... and short ways to say what a run does. */
export class Training {
  readonly checkpoints: TrainingCheckpoints;
  #drawn = 0;

  constructor(settings: Partial<CheckpointSettings> = {}) {
    this.checkpoints = new TrainingCheckpoints({
      retention: keepAll,
      saveIntervalSteps: 100,
      newId: () => {
        this.#drawn += 1;
        return `c-${this.#drawn}`;
      },
      ...settings,
    });
  }

  /** Its id; created at `at` seconds, by default as many as its step. */
  begin(facts: Partial<CreateCheckpointRequest> = {}, at = facts.step ?? 0): string {
    const request = {
      trainingRunId: 'run-1',
      epoch: 0,
      step: 0,
      type: 'full',
      metrics: {},
    } as const;
    const created = this.checkpoints.create({ ...request, ...facts }, instant(at * 1000));
    return accepted(created).value.checkpoint.checkpointId;
  }

  /** A whole one of 100 bytes. */
  save(facts: Partial<CreateCheckpointRequest> = {}, at?: number): string {
    const id = this.begin(facts, at);
    accepted(this.checkpoints.complete(id, { sizeBytes: 100, storagePath: `checkpoints/${id}` }));
    return id;
  }

  /** The live ids of a run, in its order. */
  live(trainingRunId = 'run-1'): readonly string[] {
    return idsOf(this.checkpoints.listForRun(trainingRunId));
  }

  gc(atSeconds: number): readonly string[] {
    return this.checkpoints.gc(instant(atSeconds * 1000)).value;
  }
}
