// A block: one contiguous range of a device's memory with one status, and what it is picked by. The
// picking functions judge a plain list and are the rule in its shortest form; the pool answers the
// same from its indexes.

import type { Brand } from '../../base/brand.ts';
import { compareNumbers } from '../../base/compare.ts';
import { alignUp } from './alignment.ts';

/** Pinned is never moved and never evicted, cached may be both, allocated only moved. */
export type BlockStatus = 'free' | 'allocated' | 'pinned' | 'cached';

/** Unique in its pool and never used again. */
export type BlockId = Brand<number, 'BlockId'>;

export type MemoryBlock = {
  readonly blockId: BlockId;
  /** Bytes from the start of the device's memory. */
  readonly offset: number;
  /** Bytes, at least 1. */
  readonly size: number;
  readonly status: BlockStatus;
  /** Absent from a free block. */
  readonly tensorId?: string;
  /** In the unit of the `now` that the pool is told; 0 for a free block. */
  readonly allocatedAt: number;
  readonly lastAccessed: number;
};

/**
 * The smallest free block in which `size` bytes fit from an aligned address on, of equal ones that at
 * the lowest offset. Absent when none fits, and for a size of 0.
 */
export function bestFitBlock(
  blocks: readonly MemoryBlock[],
  size: number,
  alignment: number,
): BlockId | undefined {
  if (size === 0) return undefined;
  let best: MemoryBlock | undefined;
  for (const block of blocks) {
    if (block.status !== 'free') continue;
    // Subtractions only: a sum of two numbers near 2^53 would be rounded.
    if (alignUp(block.offset, alignment) - block.offset > block.size - size) continue;
    if (best === undefined || bySizeThenOffset(block, best) < 0) best = block;
  }
  return best?.blockId;
}

function bySizeThenOffset(a: MemoryBlock, b: MemoryBlock): number {
  return compareNumbers(a.size, b.size) || compareNumbers(a.offset, b.offset);
}

/** Ids of the cached blocks, the longest unused first, of equally old ones the lowest offset. */
export function evictionCandidates(blocks: readonly MemoryBlock[]): readonly BlockId[] {
  return blocks
    .filter(({ status }) => status === 'cached')
    .toSorted(
      (a, b) =>
        compareNumbers(a.lastAccessed, b.lastAccessed) || compareNumbers(a.offset, b.offset),
    )
    .map(({ blockId }) => blockId);
}
