// How long one allocate and one free take together while many blocks live: each pair grants a block
// of a random size and frees a random one of the others, so the number of live blocks stays.
import type { Random } from '../../src/base/random.ts';
import { must, poolOf } from '../../src/core/memory/gpu-memory.test-support.ts';
import { ListPool } from '../../src/core/memory/list-pool.test-support.ts';
import type { BlockId } from '../../src/core/memory/memory-block.ts';

export const alignment = 512;
export const deviceBytes = 80 * 2 ** 30;

export type Contender = {
  readonly fill: (size: number) => void;
  /** Grants `size` bytes and frees the block that is `victim`-th in the order of coming. */
  readonly exchange: (size: number, victim: number) => void;
  readonly freeBlocks: () => number;
};

export function poolContender(): Contender {
  const pool = poolOf(deviceBytes);
  const live: BlockId[] = [];
  const allocate = (size: number): BlockId =>
    must(pool.allocate({ tensorId: 'bench', size, alignment, pinned: false, priority: 0 }, 0))
      .blockId;
  return {
    fill: (size) => live.push(allocate(size)),
    exchange: (size, victim) => {
      const freed = live[victim];
      live[victim] = allocate(size);
      if (freed !== undefined) pool.free(freed);
    },
    freeBlocks: () => pool.stats().blockCount - pool.stats().allocationCount,
  };
}

/** Best fit by walking a list of all blocks. */
export function listContender(): Contender {
  const list = new ListPool(deviceBytes);
  const live: number[] = [];
  const allocate = (size: number): number => {
    const held = list.allocate(Math.ceil(size / alignment) * alignment, alignment);
    if (typeof held === 'string') throw new Error(held);
    return held.key;
  };
  return {
    fill: (size) => live.push(allocate(size)),
    exchange: (size, victim) => {
      const freed = live[victim];
      live[victim] = allocate(size);
      if (freed !== undefined) list.free(freed);
    },
    freeBlocks: () => list.gaps().length,
  };
}

/** The times of `pairs` pairs in ns, ascending. Everything random is drawn before the clock runs. */
export function timedPairs(
  contender: Contender,
  random: Random,
  options: {
    readonly pairs: number;
    readonly live: number;
    readonly drawSize: (random: Random) => number;
  },
): Float64Array {
  const { pairs, live, drawSize } = options;
  const sizes = Float64Array.from({ length: pairs }, () => drawSize(random));
  const victims = Int32Array.from({ length: pairs }, () => random.nextBelow(live));
  const times = new Float64Array(pairs);
  for (let pair = 0; pair < pairs; pair++) {
    const start = performance.now();
    contender.exchange(sizes[pair] ?? 1, victims[pair] ?? 0);
    times[pair] = (performance.now() - start) * 1e6;
  }
  return times.sort();
}

/** The median of the time between two readings of the clock, in ns. */
export function clockNs(): number {
  const times = new Float64Array(20_000);
  for (let i = 0; i < times.length; i++) {
    const start = performance.now();
    times[i] = (performance.now() - start) * 1e6;
  }
  return times.sort()[times.length >> 1] ?? 0;
}
