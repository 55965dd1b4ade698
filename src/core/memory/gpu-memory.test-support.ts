// Builders that keep the cases of the memory tests readable, and the invariants of a pool.

import assert from 'node:assert/strict';
import type { Result } from '../../base/result.ts';
import type { Allocation, AllocationRequest } from './allocation-request.ts';
import type { GpuDevice } from './gpu-device.ts';
import { GpuMemoryPool } from './gpu-memory-pool.ts';
import type { BlockId, BlockStatus, MemoryBlock } from './memory-block.ts';
import { fragmentationRatio } from './pool-figures.ts';
import type { PoolOptions } from './pool-options.ts';

export function deviceOf(totalMemory: number): GpuDevice {
  const computeCapability = { major: 9, minor: 0 };
  return { deviceId: 'gpu-0', totalMemory, memoryClockMhz: 2619, computeCapability };
}

export function poolOf(totalMemory: number, options: PoolOptions = {}): GpuMemoryPool {
  return must(GpuMemoryPool.create(deviceOf(totalMemory), options));
}

/** The value of a result that must be one. */
export function must<T>(result: Result<T, { readonly message: string }>): T {
  if (!result.ok) assert.fail(result.error.message);
  return result.value;
}

/** The code of a result that must be a fault. */
export function codeOf(result: Result<unknown, { readonly code: string }>): string {
  assert.ok(!result.ok, 'a refusal was expected');
  return result.error.code;
}

/** `size` bytes of tensor `t`, byte-aligned, unless told otherwise. */
export function requestOf(
  size: number,
  changes: Partial<AllocationRequest> = {},
): AllocationRequest {
  return { tensorId: 't', size, alignment: 1, pinned: false, priority: 0, ...changes };
}

/** Allocates for the tensor, which must succeed. */
export function take(
  pool: GpuMemoryPool,
  tensorId: string,
  size: number,
  { now = 0, ...changes }: Partial<AllocationRequest> & { readonly now?: number } = {},
): Allocation {
  return must(pool.allocate(requestOf(size, { tensorId, ...changes }), now));
}

/** Blocks one behind the other, each `NAME SIZE`, or `- SIZE` for a gap that is left free. */
export function poolWith(total: number, layout: readonly string[]) {
  const pool = poolOf(total);
  const ids = new Map<string, BlockId>();
  const gaps: BlockId[] = [];
  for (const part of layout) {
    const [name = '', size] = part.split(' ');
    const { blockId } = take(pool, name, Number(size));
    if (name === '-') gaps.push(blockId);
    else ids.set(name, blockId);
  }
  for (const gap of gaps) must(pool.free(gap));
  const id = (name: string): BlockId => {
    const found = ids.get(name);
    assert.ok(found !== undefined, `no block ${name}`);
    return found;
  };
  return { pool, id };
}

/** `NAME OFFSET..END`, with the status when it is not plain `allocated`; `-` for a free block. */
export function drawn(pool: GpuMemoryPool): readonly string[] {
  return pool.blocks().map(({ tensorId = '-', offset, size, status }) => {
    const mark = status === 'pinned' || status === 'cached' ? ` ${status}` : '';
    return `${tensorId} ${offset}..${offset + size}${mark}`;
  });
}

/** A block for the functions that judge a plain list. */
export function blockOf(
  id: number,
  offset: number,
  size: number,
  status: BlockStatus = 'free',
  lastAccessed = 0,
): MemoryBlock {
  const blockId = id as BlockId;
  return { blockId, offset, size, status, allocatedAt: 0, lastAccessed };
}

/** A check of all invariants of C.2 that remembers the ids it has seen; call it after each change. */
export function invariantWatch(): (pool: GpuMemoryPool) => void {
  let present: ReadonlySet<BlockId> = new Set();
  const spent = new Set<BlockId>();
  return (pool) => {
    assertInvariants(pool);
    const ids = new Set(pool.blocks().map(({ blockId }) => blockId));
    for (const id of present) if (!ids.has(id)) spent.add(id);
    for (const id of ids) assert.ok(!spent.has(id), `M4: id ${id} has come back`);
    present = ids;
  };
}

export function assertInvariants(pool: GpuMemoryPool): void {
  const blocks = pool.blocks();
  let end = 0;
  let wasFree = false;
  for (const { blockId, offset, size, status } of blocks) {
    assert.equal(offset, end, `M1: block ${blockId} follows the one before`);
    assert.ok(size >= 1, `M2: block ${blockId} is not empty`);
    assert.ok(!(wasFree && status === 'free'), `M2: block ${blockId} is joined`);
    const alignment = pool.alignmentOf(blockId);
    assert.equal(alignment === undefined, status === 'free');
    assert.equal(offset % (alignment ?? 1), 0, `M3: block ${blockId} is aligned`);
    end = offset + size;
    wasFree = status === 'free';
  }
  assert.equal(end, pool.device.totalMemory, 'M1: the blocks cover the device');
  assert.equal(new Set(blocks.map(({ blockId }) => blockId)).size, blocks.length, 'M4: ids differ');
  assertStats(pool, blocks);
}

/** The figures kept along are those that a look at all blocks gives. */
function assertStats(pool: GpuMemoryPool, blocks: readonly MemoryBlock[]): void {
  const held = blocks.filter(({ status }) => status !== 'free');
  const bytes = (status: BlockStatus): number =>
    blocks.reduce((sum, block) => (block.status === status ? sum + block.size : sum), 0);
  const free = blocks.filter(({ status }) => status === 'free').map(({ size }) => size);
  assert.deepEqual(
    pool.stats(),
    {
      totalBytes: pool.device.totalMemory,
      allocatedBytes: bytes('allocated') + bytes('pinned') + bytes('cached'),
      freeBytes: bytes('free'),
      pinnedBytes: bytes('pinned'),
      cachedBytes: bytes('cached'),
      fragmentationRatio: fragmentationRatio(blocks),
      largestFreeBlock: Math.max(0, ...free),
      blockCount: blocks.length,
      allocationCount: held.length,
    },
    'M6: the figures are those of the blocks',
  );
}
