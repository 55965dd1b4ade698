// The checkpoint chain: from a checkpoint over its parents to the root, which needs no other. All
// functions are linear in the length of the chain and end on every input: a chain whose parent is
// missing or that runs in a circle is *open* and cannot be restored.
//
// Chain length counts checkpoints, not the steps between them (conflict C17); the number of steps
// between states of a job is the *transition chain* and lives elsewhere.

import { unbounded } from '../../base/numbers.ts';
import type { CheckpointsById, TrainingCheckpoint } from './training-checkpoint.ts';

/** Finds a checkpoint by its id; a map of them is one. */
export type CheckpointLookup = Pick<CheckpointsById, 'get'>;

type Walk = {
  /** From the checkpoint itself towards its root, each once. */
  readonly members: readonly TrainingCheckpoint[];
  /** Did it end at a checkpoint without a parent? */
  readonly ending: 'root' | 'missing' | 'cycle';
};

export function walkToRoot(all: CheckpointLookup, id: string): Walk {
  const members = new Map<string, TrainingCheckpoint>();
  let next: string | undefined = id;
  while (next !== undefined) {
    if (members.has(next)) return { members: [...members.values()], ending: 'cycle' };
    const member: TrainingCheckpoint | undefined = all.get(next);
    if (member === undefined) return { members: [...members.values()], ending: 'missing' };
    members.set(next, member);
    next = member.parentId;
  }
  return { members: [...members.values()], ending: 'root' };
}

/**
 * How many checkpoints there are from `id` to its root, both included: 1 for a root, 0 for an unknown
 * id. Of an open chain, those that are there, once each.
 */
export function chainLength(all: CheckpointLookup, id: string): number {
  return walkToRoot(all, id).members.length;
}

/** The id of the ancestor without a parent; absent for an unknown id and for an open chain. */
export function findChainRoot(all: CheckpointLookup, id: string): string | undefined {
  const { members, ending } = walkToRoot(all, id);
  return ending === 'root' ? members.at(-1)?.checkpointId : undefined;
}

function closedChain(all: CheckpointLookup, id: string): readonly TrainingCheckpoint[] {
  const { members, ending } = walkToRoot(all, id);
  return ending === 'root' ? members.toReversed() : [];
}

/** Ids from the root to `id`, as they are applied; empty for an unknown id and for an open chain. */
export function restorationChain(all: CheckpointLookup, id: string): readonly string[] {
  return closedChain(all, id).map(({ checkpointId }) => checkpointId);
}

/** Bytes of the whole restoration chain; 0 where there is none. */
export function chainSize(all: CheckpointLookup, id: string): number {
  return totalBytes(closedChain(all, id));
}

type Sized = Pick<TrainingCheckpoint, 'sizeBytes'>;

function totalBytes(chain: readonly Sized[]): number {
  return chain.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
}

export type RestoreSpeed = {
  readonly baseMs: number;
  readonly perCheckpointMs: number;
  readonly bytesPerMs: number;
};

/**
 * Milliseconds to restore a chain: baseMs + n x perCheckpointMs + ceil(bytes / bytesPerMs). The
 * unbounded sentinel when there are bytes and no speed; baseMs for an empty chain.
 */
export function estimateRestoreTime(chain: readonly Sized[], speed: RestoreSpeed): number {
  const { baseMs, perCheckpointMs, bytesPerMs } = speed;
  const fixedMs = baseMs + chain.length * perCheckpointMs;
  const bytes = totalBytes(chain);
  if (bytes === 0) return fixedMs;
  if (bytesPerMs <= 0) return unbounded;
  // Exact for whole speeds: bytes stay below 2^53, so no quotient rounds onto a whole number.
  return Math.min(unbounded, fixedMs + Math.ceil(bytes / bytesPerMs));
}
