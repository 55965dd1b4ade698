// What a pool did to blocks that others hold data in, as plain data. Owners drop what was evicted and
// copy what moved; the events `BlocksEvicted` and `BlocksMoved` carry the same.

import type { BlockId, MemoryBlock } from './memory-block.ts';

export type Eviction = {
  /** The sum of the sizes; may exceed what was needed, or fall short of it. */
  readonly freedBytes: number;
  /** In the order of eviction, as they were before it. */
  readonly evicted: readonly MemoryBlock[];
};

/**
 * A block whose data must be copied from one offset to another. Copied in the order of the list,
 * with a copy that bears overlap of source and target, no data is overwritten before it has moved.
 */
export type BlockMove = {
  readonly blockId: BlockId;
  readonly tensorId: string;
  readonly fromOffset: number;
  readonly toOffset: number;
  readonly size: number;
};
