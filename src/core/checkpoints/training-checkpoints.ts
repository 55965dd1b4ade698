// The training checkpoints of an installation: the commands. Each one looks at the state, refuses or
// decides, and answers with its result and the events that tell of it; the events have been applied
// when it returns. A command is one synchronous section, so of two that race the first wins and the
// second is judged by what the first left.
//
//   I1  An incremental checkpoint that lives has a live parent, and so a live chain to one that stands alone.
//   I2  A state changes only along the diagram of training-checkpoint.ts.
//   I3  A checkpoint of n ranks is complete only after n shards have been reported.
//   I4  A refused command has changed nothing and told nothing.
//
// A distributed save ends with a commit: all ranks report their shards, then whoever wrote the
// manifest completes the checkpoint. What is half written never looks complete.

import { assert, present } from '../../base/assert.ts';
import { type Fault, fault } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Instant } from '../../base/time.ts';
import { checkpointDue } from '../resilience/replay-checkpoints.ts';
import { restorationChain } from './checkpoint-chain.ts';
import {
  type CreateCheckpointRequest,
  type CreatedCheckpoint,
  newCheckpoint,
  validateRequest,
} from './checkpoint-creation.ts';
import type { CheckpointEvent, CheckpointShard, StoredBytes } from './checkpoint-event.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import {
  type CompletionRefusal,
  type CorruptionRefusal,
  complete,
  type DeletionRefusal,
  deleteOnRequest,
  markCorrupted,
  reportShard,
  type ShardRefusal,
} from './checkpoint-transitions.ts';
import { betterThan, type MetricOrder } from './metric-ranking.ts';
import { chooseRestorePoint, type RestoreCriteria } from './restore-point.ts';
import { type RetentionPolicy, validateRetentionPolicy } from './retention.ts';
import { type PlannedDeletion, planRetention } from './retention-plan.ts';
import type { CheckpointState, TrainingCheckpoint } from './training-checkpoint.ts';

export type CheckpointSettings = {
  /** Valid; see `validateRetentionPolicy`. */
  readonly retention: RetentionPolicy;
  /** A save is due after so many steps. */
  readonly saveIntervalSteps: number;
  /** Draws the id of the next checkpoint; when decisions are made again, the recorded one. */
  readonly newId: () => string;
};

/** What came of a command, and the events that it has applied. */
export type Done<T> = { readonly value: T; readonly events: readonly CheckpointEvent[] };

/** A command's result, or a refusal of its own kind or because there is no such checkpoint. */
export type Outcome<T, Refusal> = Result<Done<T>, Refusal | Fault<'checkpoint_not_found'>>;

export type ShardProgress = { readonly reported: number; readonly ranks: number };

export type RestorePoint = {
  readonly checkpoint: TrainingCheckpoint;
  /** Ids from the root to the checkpoint, as they are applied. */
  readonly chain: readonly string[];
};

export class TrainingCheckpoints {
  readonly #store = new CheckpointStore();
  readonly #settings: CheckpointSettings;

  constructor(settings: CheckpointSettings) {
    const { retention, saveIntervalSteps } = settings;
    const policy = validateRetentionPolicy(retention);
    assert(policy.ok, policy.ok ? '' : policy.error.message);
    assert(isCount(saveIntervalSteps), `save interval ${saveIntervalSteps}`);
    this.#settings = { ...settings, retention: { ...retention } };
  }

  /** Applies a recorded event: the state after a restart is the fold of all of them. */
  apply(event: CheckpointEvent): void {
    this.#store.apply(event);
  }

  /**
   * A new checkpoint in state creating, with an id of its own. An incremental one is linked to the
   * newest complete checkpoint of the run, by step, that it can be restored from; without any it is
   * made full, and the result says so.
   */
  create(
    request: CreateCheckpointRequest,
    now: Instant,
  ): Result<Done<CreatedCheckpoint>, Fault<'invalid_checkpoint' | 'checkpoint_exists'>> {
    const valid = validateRequest(request, now);
    if (!valid.ok) return valid;
    const checkpointId = this.#settings.newId();
    if (this.get(checkpointId) !== undefined) {
      return err(fault('checkpoint_exists', `checkpoint "${checkpointId}" exists already`));
    }
    const base = this.#baseFor(request);
    const created = newCheckpoint(request, { checkpointId, now, base });
    const events = this.#tell([{ kind: 'checkpoint_created', checkpoint: created.checkpoint }]);
    return ok({ value: { ...created, checkpoint: this.#stored(checkpointId) }, events });
  }

  /**
   * One rank has written its shard. The same report again changes nothing and tells nothing, whenever
   * it comes; a different one for the same rank is refused.
   */
  reportShard(id: string, shard: CheckpointShard): Outcome<ShardProgress, ShardRefusal> {
    const known = this.#store.shard(id, shard.rank);
    const outcome = this.#command(id, (checkpoint) => reportShard(checkpoint, shard, known));
    if (!outcome.ok) return outcome;
    const { value, events } = outcome.value;
    return ok({ value: { reported: this.#store.shardCount(id), ranks: value.ranks }, events });
  }

  /** The checkpoint is whole: from creating only, and only after all of its ranks have reported. */
  complete(id: string, stored: StoredBytes): Outcome<TrainingCheckpoint, CompletionRefusal> {
    const shards = this.#store.shards(id);
    const facts = {
      shardCount: shards.length,
      shardBytes: shards.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0),
      bytesLeft: Number.MAX_SAFE_INTEGER - this.#store.totalSize,
    };
    return this.#command(id, (checkpoint) => complete(checkpoint, stored, facts));
  }

  /**
   * From creating or complete. With `expected`, only from that state: of a completion and a mark that
   * both saw it creating, exactly one happens.
   */
  markCorrupted(
    id: string,
    expected?: CheckpointState,
  ): Outcome<TrainingCheckpoint, CorruptionRefusal> {
    return this.#command(id, (checkpoint) => markCorrupted(checkpoint, expected));
  }

  /** Leaves a tombstone. Refused while a live incremental checkpoint builds on it. */
  delete(id: string): Outcome<TrainingCheckpoint, DeletionRefusal> {
    return this.#command(id, (checkpoint) => {
      const run = this.#store.run(checkpoint.trainingRunId);
      return deleteOnRequest(checkpoint, run?.dependents(id) ?? new Set());
    });
  }

  /** What `gc` would delete at `now`, and why, in that order; changes nothing. */
  planGc(now: Instant): readonly PlannedDeletion[] {
    const { retention } = this.#settings;
    return this.#store.runs().flatMap((run) => planRetention(run, retention, now));
  }

  /**
   * Applies the retention policy to every run, ascending by run id. The deleted ids in the order of
   * deletion; none when it is asked again with the same `now`.
   */
  gc(now: Instant): Done<readonly string[]> {
    const plan = this.planGc(now);
    if (plan.length === 0) return { value: [], events: [] };
    const deleted = plan.map(({ checkpointId }) => checkpointId);
    const deletions = plan.map((planned) => ({ kind: 'checkpoint_deleted' as const, ...planned }));
    const events = this.#tell([...deletions, { kind: 'retention_applied', deleted }]);
    return { value: deleted, events };
  }

  /** Also a deleted one, as its tombstone. */
  get(id: string): TrainingCheckpoint | undefined {
    return this.#store.all.get(id);
  }

  /** Live ones, ascending by step, then time of creation, then id. */
  listForRun(trainingRunId: string): readonly TrainingCheckpoint[] {
    return [...(this.#store.run(trainingRunId)?.checkpoints ?? [])];
  }

  /** The last of `listForRun`: the highest live step, whatever its state. */
  getLatest(trainingRunId: string): TrainingCheckpoint | undefined {
    return this.#store.run(trainingRunId)?.latest;
  }

  /** Live ones of all runs. */
  totalCount(): number {
    return this.#store.totalCount;
  }

  /** Bytes of the live ones of all runs. */
  totalSize(): number {
    return this.#store.totalSize;
  }

  /** What the ranks have reported, ascending by rank; none for an unknown or a deleted one. */
  shards(id: string): readonly CheckpointShard[] {
    return this.#store.shards(id);
  }

  /** The best checkpoint of the run whose whole chain can be restored; absent when there is none. */
  findRestorePoint(criteria: RestoreCriteria): Done<RestorePoint | undefined> {
    const run = this.#store.run(criteria.trainingRunId);
    const sound = run?.checkpoints.filter(({ checkpointId }) => !run.broken.has(checkpointId));
    const checkpoint = chooseRestorePoint(sound ?? [], criteria);
    if (checkpoint === undefined) return { value: undefined, events: [] };
    const chain = restorationChain(this.#store.all, checkpoint.checkpointId);
    return {
      value: { checkpoint, chain },
      events: this.#tell([{ kind: 'restore_point_chosen', criteria: { ...criteria }, chain }]),
    };
  }

  /** Live ones of the run whose metric is strictly better than `threshold`, best first, ties by id. */
  findByMetric(
    trainingRunId: string,
    threshold: number,
    order: MetricOrder,
  ): readonly TrainingCheckpoint[] {
    return betterThan(this.#store.run(trainingRunId)?.checkpoints ?? [], threshold, order);
  }

  /**
   * Have `saveIntervalSteps` steps passed since the last save at or before `step`? Corrupted saves do
   * not count; a run without any counts from step 0.
   */
  isSaveDue(trainingRunId: string, step: number): boolean {
    const last = this.#store.run(trainingRunId)?.lastSavedStep(step) ?? 0;
    return checkpointDue(step, last, this.#settings.saveIntervalSteps);
  }

  #baseFor(request: CreateCheckpointRequest): TrainingCheckpoint | undefined {
    if (request.type !== 'incremental') return undefined;
    return this.#store.run(request.trainingRunId)?.newestBase(request);
  }

  /** Decides on a checkpoint and applies what was decided. */
  #command<Refusal>(
    id: string,
    decide: (checkpoint: TrainingCheckpoint) => Result<readonly CheckpointEvent[], Refusal>,
  ): Outcome<TrainingCheckpoint, Refusal> {
    const checkpoint = this.get(id);
    if (checkpoint === undefined) {
      return err(fault('checkpoint_not_found', `there is no checkpoint "${id}"`));
    }
    const decided = decide(checkpoint);
    if (!decided.ok) return decided;
    const events = this.#tell(decided.value);
    return ok({ value: this.#stored(id), events });
  }

  #tell(events: readonly CheckpointEvent[]): readonly CheckpointEvent[] {
    for (const event of events) this.#store.apply(event);
    return events;
  }

  #stored(id: string): TrainingCheckpoint {
    return present(this.get(id), `checkpoint ${id}`);
  }
}
