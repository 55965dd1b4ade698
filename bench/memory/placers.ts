// Ways to place the buffers of a trace, in address spaces that are wide enough for anything.
import { must, poolOf, requestOf } from '../../src/core/memory/gpu-memory.test-support.ts';
import { type Fit, ListPool } from '../../src/core/memory/list-pool.test-support.ts';
import type { BlockId } from '../../src/core/memory/memory-block.ts';
import type { Placer, TracedBuffer } from './lifetimes.ts';

const wideBytes = 2 ** 50;

/** Best fit of the product's pool, of sizes as `rounded` makes them. */
export function poolPlacer(rounded: (size: number) => number): Placer {
  const pool = poolOf(wideBytes);
  const ids = new Map<TracedBuffer, BlockId>();
  return {
    allocate(buffer) {
      const granted = pool.allocate(requestOf(rounded(buffer.size)), 0);
      const { blockId, offset, actualSize } = must(granted);
      ids.set(buffer, blockId);
      return { offset, size: actualSize };
    },
    free(buffer) {
      const id = ids.get(buffer);
      if (id !== undefined) pool.free(id);
    },
  };
}

export function listPlacer(fit: Fit): Placer {
  const list = new ListPool(wideBytes, fit);
  const keys = new Map<TracedBuffer, number>();
  return {
    allocate(buffer) {
      const held = list.allocate(buffer.size, 1);
      if (typeof held === 'string') throw new Error(held);
      keys.set(buffer, held.key);
      return held;
    },
    free(buffer) {
      const key = keys.get(buffer);
      if (key !== undefined) list.free(key);
    },
  };
}

/** The smallest power of two not below `size`. */
export function powerOfTwo(size: number): number {
  let power = 1;
  while (power < size) power *= 2;
  return power;
}
