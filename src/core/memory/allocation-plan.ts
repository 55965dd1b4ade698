// The memory planner: what it takes to place one request in a pool that has no room as it stands.
//
//   allocate ──> evict what is short ──> allocate ──> defragment, if indicated ──> allocate
//
// A refusal leaves the pool as it was: nothing is evicted or moved for a request that does not fit
// in the end. Nothing is evicted either while enough bytes are free, because moving data within a
// device is far cheaper than loading it again. Victims are the longest unused blocks that cover what
// is short; this is the place to weigh the cost of a reload, and whether one block elsewhere would do.

import { ok, type Result } from '../../base/result.ts';
import type { Allocation, AllocationFault, AllocationRequest } from './allocation-request.ts';
import type { GpuMemoryPool } from './gpu-memory-pool.ts';
import type { MemoryBlock } from './memory-block.ts';
import type { BlockMove } from './pool-changes.ts';
import { shouldDefragment } from './pool-figures.ts';

type AllocationPlan = {
  readonly allocation: Allocation;
  /** Given up first, in this order, as they were before it. */
  readonly evicted: readonly MemoryBlock[];
  /** Moved after that, in this order. */
  readonly moves: readonly BlockMove[];
};

type PlannerOptions = {
  /** Defragment above this fragmentation only, 0 to 1. 0, the default: whenever it is in the way. */
  readonly fragmentationThreshold?: number;
};

/**
 * What {@link allocateWithReclaim} would do; the pool is not changed. The fault is the one that is
 * left when everything has been tried. Costs a copy of the pool.
 */
export function planAllocation(
  pool: GpuMemoryPool,
  request: AllocationRequest,
  now: number,
  options: PlannerOptions = {},
): Result<AllocationPlan, AllocationFault> {
  return placeStepwise(pool.copy(), request, now, options);
}

/**
 * Allocates, and makes room for it where that helps. The owners of evicted and moved blocks must act
 * on the plan before the new block is written to.
 */
export function allocateWithReclaim(
  pool: GpuMemoryPool,
  request: AllocationRequest,
  now: number,
  options: PlannerOptions = {},
): Result<AllocationPlan, AllocationFault> {
  const direct = pool.allocate(request, now);
  if (direct.ok) return ok({ allocation: direct.value, evicted: [], moves: [] });
  const plan = planAllocation(pool, request, now, options);
  // The pool answers like its copy did, so the steps that led to the plan lead there again.
  return plan.ok ? placeStepwise(pool, request, now, options) : plan;
}

function placeStepwise(
  pool: GpuMemoryPool,
  request: AllocationRequest,
  now: number,
  { fragmentationThreshold = 0 }: PlannerOptions,
): Result<AllocationPlan, AllocationFault> {
  let evicted: readonly MemoryBlock[] = [];
  let moves: readonly BlockMove[] = [];
  let attempt = pool.allocate(request, now);
  if (!attempt.ok && attempt.error.code === 'capacity') {
    const eviction = pool.evict(attempt.error.askedBytes - attempt.error.thereBytes);
    if (eviction.ok) evicted = eviction.value.evicted;
    attempt = pool.allocate(request, now);
  }
  if (!attempt.ok && attempt.error.code === 'fragmentation') {
    // In a block of this size the request fits wherever the block lies.
    const sufficient = attempt.error.askedBytes + request.alignment;
    if (shouldDefragment(pool.stats(), fragmentationThreshold, sufficient)) {
      moves = pool.defragment();
      attempt = pool.allocate(request, now);
    }
  }
  return attempt.ok ? ok({ allocation: attempt.value, evicted, moves }) : attempt;
}
