// The state of all training checkpoints, as the fold of their events. It decides nothing: commands do
// (training-checkpoints.ts), and what they decided is applied here, live and in replay alike. An event
// that does not fit the state is a fault of the history and fails an assertion.
//
//   I1  Every id that was ever created is found for ever; deleted ones as tombstones.
//   I2  Tombstones are in no list, no count and no size.
//   I3  totalSize is the sum of the sizes of the live ones.

import { assert, present, unreachable } from '../../base/assert.ts';
import { compareNumbers, compareText } from '../../base/compare.ts';
import type { CheckpointEvent, CheckpointShard } from './checkpoint-event.ts';
import { CheckpointRun } from './checkpoint-run.ts';
import { type CheckpointsById, isLive, type TrainingCheckpoint } from './training-checkpoint.ts';

/** Frozen, so that it can be handed out without a copy. */
function frozen(checkpoint: TrainingCheckpoint): TrainingCheckpoint {
  return Object.freeze({ ...checkpoint, metrics: Object.freeze({ ...checkpoint.metrics }) });
}

export class CheckpointStore {
  readonly #byId = new Map<string, TrainingCheckpoint>();
  readonly #runs = new Map<string, CheckpointRun>();
  readonly #shards = new Map<string, Map<number, CheckpointShard>>();
  #totalCount = 0;
  #totalSize = 0;

  /** Tombstones too. */
  get all(): CheckpointsById {
    return this.#byId;
  }

  get totalCount(): number {
    return this.#totalCount;
  }

  get totalSize(): number {
    return this.#totalSize;
  }

  run(trainingRunId: string): CheckpointRun | undefined {
    return this.#runs.get(trainingRunId);
  }

  /** Ascending by id. */
  runs(): readonly CheckpointRun[] {
    const entries = [...this.#runs].sort(([a], [b]) => compareText(a, b));
    return entries.map(([, run]) => run);
  }

  shard(checkpointId: string, rank: number): CheckpointShard | undefined {
    return this.#shards.get(checkpointId)?.get(rank);
  }

  shardCount(checkpointId: string): number {
    return this.#shards.get(checkpointId)?.size ?? 0;
  }

  /** Ascending by rank. */
  shards(checkpointId: string): readonly CheckpointShard[] {
    const reported = [...(this.#shards.get(checkpointId)?.values() ?? [])];
    return reported.sort((a, b) => compareNumbers(a.rank, b.rank));
  }

  apply(event: CheckpointEvent): void {
    switch (event.kind) {
      case 'checkpoint_created':
        this.#add(event.checkpoint);
        break;
      case 'checkpoint_shard_reported':
        this.#addShard(event.checkpointId, event.shard);
        break;
      case 'checkpoint_completed': {
        const { sizeBytes, storagePath } = event;
        this.#change(event.checkpointId, { state: 'complete', sizeBytes, storagePath });
        break;
      }
      case 'checkpoint_marked_corrupted':
        this.#change(event.checkpointId, { state: 'corrupted' });
        break;
      case 'checkpoint_deleted':
        this.#bury(event.checkpointId);
        break;
      case 'retention_applied':
      case 'restore_point_chosen':
        break; // They say why; each deletion has an event of its own.
      default:
        unreachable(event);
    }
  }

  #add(created: TrainingCheckpoint): void {
    const { checkpointId, trainingRunId } = created;
    assert(!this.#byId.has(checkpointId), `checkpoint ${checkpointId} is created once`);
    const checkpoint = frozen(created);
    const run = this.#runs.get(trainingRunId) ?? new CheckpointRun();
    run.add(checkpoint);
    this.#runs.set(trainingRunId, run);
    this.#byId.set(checkpointId, checkpoint);
    this.#totalCount += 1;
    this.#totalSize += checkpoint.sizeBytes;
  }

  #addShard(checkpointId: string, shard: CheckpointShard): void {
    const { checkpoint } = this.#live(checkpointId);
    assert(checkpoint.state === 'creating', `shards of ${checkpointId} come before it is complete`);
    const shards = this.#shards.get(checkpointId) ?? new Map<number, CheckpointShard>();
    this.#shards.set(checkpointId, shards.set(shard.rank, Object.freeze({ ...shard })));
  }

  #change(checkpointId: string, facts: Partial<TrainingCheckpoint>): void {
    const { checkpoint: before, run } = this.#live(checkpointId);
    const after = frozen({ ...before, ...facts });
    run.replace(after);
    this.#byId.set(checkpointId, after);
    this.#totalSize += after.sizeBytes - before.sizeBytes;
  }

  #bury(checkpointId: string): void {
    const { checkpoint, run } = this.#live(checkpointId);
    run.remove(checkpoint);
    this.#byId.set(checkpointId, frozen({ ...checkpoint, state: 'deleted' }));
    this.#shards.delete(checkpointId);
    this.#totalCount -= 1;
    this.#totalSize -= checkpoint.sizeBytes;
  }

  #live(id: string): { readonly checkpoint: TrainingCheckpoint; readonly run: CheckpointRun } {
    const checkpoint = present(this.#byId.get(id), `checkpoint ${id}`);
    assert(isLive(checkpoint), `checkpoint ${id} is not deleted`);
    return { checkpoint, run: present(this.#runs.get(checkpoint.trainingRunId), `run of ${id}`) };
  }
}
