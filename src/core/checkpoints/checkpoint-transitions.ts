// May this checkpoint change so, and which event tells of it? One function for each command, given the
// checkpoint and what the command needs to know of the rest. A refusal names the checkpoint and the
// bound that it broke.

import { compareText } from '../../base/compare.ts';
import { type Fault, fault, invalid, type Violation } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type {
  CheckpointCompleted,
  CheckpointDeleted,
  CheckpointMarkedCorrupted,
  CheckpointShard,
  CheckpointShardReported,
  StoredBytes,
} from './checkpoint-event.ts';
import { blankViolations, countViolations } from './checkpoint-validation.ts';
import type { CheckpointState, TrainingCheckpoint } from './training-checkpoint.ts';

export type ShardRefusal = Fault<'transition_forbidden' | 'invalid_checkpoint' | 'shard_conflict'>;
export type CompletionRefusal = Fault<
  'transition_forbidden' | 'invalid_checkpoint' | 'shards_missing'
>;
export type CorruptionRefusal = Fault<'transition_forbidden'>;
export type DeletionRefusal = Fault<'transition_forbidden' | 'checkpoint_in_use'>;

function forbidden(
  checkpoint: TrainingCheckpoint,
  action: string,
  bound: string,
): Fault<'transition_forbidden'> {
  const { checkpointId, state } = checkpoint;
  const words = `checkpoint "${checkpointId}" cannot ${action}: it is ${state}`;
  return fault('transition_forbidden', `${words}, but must be ${bound}`);
}

function sameShard(a: CheckpointShard, b: CheckpointShard): boolean {
  return a.rank === b.rank && a.sizeBytes === b.sizeBytes && a.storagePath === b.storagePath;
}

function shardViolations(
  { rank, sizeBytes, storagePath }: CheckpointShard,
  ranks: number,
): readonly Violation[] {
  const bound = ranks === 0 ? 'absent, for one writer saves it all' : `within 0..${ranks - 1}`;
  const known = Number.isInteger(rank) && rank >= 0 && rank < ranks;
  return [
    ...(known ? [] : [{ field: 'rank', value: rank, bound }]),
    ...countViolations({ sizeBytes }),
    ...blankViolations({ storagePath }),
  ];
}

/**
 * While creating. `known` is what this rank has reported before: the same again is no event, whenever
 * it comes, and anything else is refused.
 */
export function reportShard(
  checkpoint: TrainingCheckpoint,
  shard: CheckpointShard,
  known: CheckpointShard | undefined,
): Result<readonly CheckpointShardReported[], ShardRefusal> {
  const { checkpointId, ranks, state } = checkpoint;
  if (known !== undefined && sameShard(known, shard)) return ok([]);
  if (state !== 'creating') return err(forbidden(checkpoint, 'take a shard', 'creating'));
  const violations = shardViolations(shard, ranks);
  if (violations.length > 0) {
    return err(invalid('invalid_checkpoint', `shard of checkpoint "${checkpointId}"`, violations));
  }
  if (known !== undefined) {
    const words = `rank ${shard.rank} of checkpoint "${checkpointId}" has reported another shard`;
    return err(fault('shard_conflict', `${words}, but may report only one`));
  }
  const { rank, sizeBytes, storagePath } = shard;
  const told = { rank, sizeBytes, storagePath };
  return ok([{ kind: 'checkpoint_shard_reported', checkpointId, shard: told }]);
}

export type CompletionFacts = {
  /** How many ranks have reported, and the bytes that they reported together. */
  readonly shardCount: number;
  readonly shardBytes: number;
  /** How many bytes more can be counted exactly. */
  readonly bytesLeft: number;
};

function sizeViolations(sizeBytes: number, facts: CompletionFacts): readonly Violation[] {
  const { shardBytes, bytesLeft } = facts;
  const bound =
    sizeBytes < shardBytes
      ? `at least ${shardBytes}, the bytes of its shards`
      : `at most ${bytesLeft}, what can still be counted exactly`;
  const within = sizeBytes >= shardBytes && sizeBytes <= bytesLeft;
  return within ? [] : [{ field: 'sizeBytes', value: sizeBytes, bound }];
}

/** Only from creating, with a path, and after every rank has reported. */
export function complete(
  checkpoint: TrainingCheckpoint,
  { sizeBytes, storagePath }: StoredBytes,
  facts: CompletionFacts,
): Result<readonly CheckpointCompleted[], CompletionRefusal> {
  const { checkpointId, state, ranks } = checkpoint;
  if (state !== 'creating') return err(forbidden(checkpoint, 'be completed', 'creating'));
  if (facts.shardCount < ranks) {
    const words = `${facts.shardCount} ranks have reported a shard, but all ${ranks} must`;
    return err(
      fault('shards_missing', `checkpoint "${checkpointId}" cannot be completed: ${words}`),
    );
  }
  const uncounted = countViolations({ sizeBytes });
  const violations = [
    ...(uncounted.length > 0 ? uncounted : sizeViolations(sizeBytes, facts)),
    ...blankViolations({ storagePath }),
  ];
  if (violations.length > 0) {
    return err(invalid('invalid_checkpoint', `checkpoint "${checkpointId}"`, violations));
  }
  return ok([{ kind: 'checkpoint_completed', checkpointId, sizeBytes, storagePath }]);
}

/** From creating or complete; with `expected`, only from that one of the two. */
export function markCorrupted(
  checkpoint: TrainingCheckpoint,
  expected: CheckpointState | undefined,
): Result<readonly CheckpointMarkedCorrupted[], CorruptionRefusal> {
  const { checkpointId, state } = checkpoint;
  const markable = state === 'creating' || state === 'complete';
  if (markable && (expected ?? state) === state) {
    return ok([{ kind: 'checkpoint_marked_corrupted', checkpointId }]);
  }
  return err(forbidden(checkpoint, 'be marked corrupted', expected ?? 'creating or complete'));
}

/** From any live state, unless live incremental checkpoints build on it. */
export function deleteOnRequest(
  checkpoint: TrainingCheckpoint,
  dependents: ReadonlySet<string>,
): Result<readonly CheckpointDeleted[], DeletionRefusal> {
  const { checkpointId, state } = checkpoint;
  if (state === 'deleted') return err(forbidden(checkpoint, 'be deleted', 'live'));
  const [first] = [...dependents].sort(compareText);
  if (first !== undefined) {
    const words = `${dependents.size} live checkpoints build on it, "${first}" for one`;
    return err(fault('checkpoint_in_use', `checkpoint "${checkpointId}" must stay: ${words}`));
  }
  return ok([{ kind: 'checkpoint_deleted', checkpointId, rule: 'requested' }]);
}
