// The memory of one GPU as an account of who holds which addresses (platform specification C.2). The
// pool decides and never touches a device. What a change means for the owners of the data comes back
// as plain data: which blocks were evicted, which moved and where to.
//
//                      allocate               pin
//          ┌────────┐ ─────────> ┌───────────┐ ─────────────> ┌────────┐
//          │  free  │            │ allocated │ <───────────── │ pinned │ ── free ──> free
//          └────────┘ <───────── └───────────┘      unpin     └────────┘
//              ^         free          │ markCached               ^
//              │                       v                          │ pin
//              │   free, evict   ┌──────────┐                     │
//              └──────────────── │  cached  │ ────────────────────┘
//                                └──────────┘
//
// A pool belongs to one thread and every operation is one synchronous step, so two callers never see
// each other half done; other threads send requests to the owner. An operation that is refused has
// changed nothing. The same operations in the same order give the same ids and addresses.
//
// M1  Blocks are sorted by offset and follow each other from 0 to the total: no gap, no overlap.
// M2  No two neighbours are both free, and no block is empty.
// M3  A block that is not free starts at a multiple of its alignment, also after a move.
// M4  Ids are unique and never used again.
// M5  A pinned block is neither moved nor evicted.
// M6  allocatedBytes + freeBytes = totalBytes; pinned and cached bytes are part of the allocated.

import { type Fault, fault, invalid } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { fitsCapacity } from '../allocation/capacity.ts';
import { AddressSpace } from './address-space.ts';
import { alignUp } from './alignment.ts';
import {
  type AllocationRequest,
  type AllocationResult,
  blockLimit,
  requestFault,
  shortage,
} from './allocation-request.ts';
import { BlockTable } from './block-table.ts';
import { type GpuDevice, validateDevice } from './gpu-device.ts';
import { HeldBlocks } from './held-blocks.ts';
import type { BlockId, BlockStatus, MemoryBlock } from './memory-block.ts';
import type { BlockMove, Eviction } from './pool-changes.ts';
import { fragmentationOf, type PoolStats } from './pool-figures.ts';
import { type PoolOptions, resolveOptions } from './pool-options.ts';

/** The block is unknown, or has the named status, with which the operation cannot be done. */
type BlockFault = Fault<'block_not_found' | `block_${BlockStatus}`>;

const granted: readonly BlockStatus[] = ['allocated', 'pinned', 'cached'];
const movable: readonly BlockStatus[] = ['allocated', 'cached'];

export class GpuMemoryPool {
  readonly device: GpuDevice;
  readonly #options: Required<PoolOptions>;
  readonly #table: BlockTable;
  readonly #space: AddressSpace;
  readonly #held: HeldBlocks;

  /** A pool of one free block over all memory of the device; of none when there is no memory. */
  static create(
    device: GpuDevice,
    options: PoolOptions = {},
  ): Result<GpuMemoryPool, Fault<'invalid_device' | 'invalid_options'>> {
    const valid = validateDevice(device);
    if (!valid.ok) return valid;
    const resolved = resolveOptions(options);
    if (!resolved.ok) return resolved;
    const table = new BlockTable();
    if (device.totalMemory > 0) table.insertBefore(0, 0, device.totalMemory);
    return ok(new GpuMemoryPool(valid.value, resolved.value, table));
  }

  private constructor(device: GpuDevice, options: Required<PoolOptions>, table: BlockTable) {
    this.device = device;
    this.#options = options;
    this.#table = table;
    this.#space = new AddressSpace(table);
    this.#held = new HeldBlocks(table);
  }

  /** An equal pool that shares nothing with this one, to try out what would happen. */
  copy(): GpuMemoryPool {
    return new GpuMemoryPool(this.device, this.#options, new BlockTable(this.#table));
  }

  /**
   * Takes the smallest free block in which the request fits aligned, of equal ones the lowest, and
   * leaves what is over free. `now` is a whole number in any unit. Never evicts.
   */
  allocate(request: AllocationRequest, now: number): AllocationResult {
    const unsound = requestFault(request, now);
    if (unsound !== undefined) return err(unsound);
    const { tensorId, size, pinned } = request;
    const { granuleBytes, allocationsMax } = this.#options;
    // Both are powers of two, so a multiple of the larger is one of the other.
    const alignment = Math.max(request.alignment, granuleBytes);
    const actualSize = alignUp(size, alignment);
    const freeBytes = this.#freeBytes();
    if (!fitsCapacity(actualSize, freeBytes)) {
      return err(shortage('capacity', tensorId, actualSize, freeBytes));
    }
    if (this.#held.count >= allocationsMax) return err(blockLimit(tensorId, allocationsMax));
    const slot = this.#space.grant(actualSize, alignment);
    if (slot === 0) {
      return err(shortage('fragmentation', tensorId, actualSize, this.#space.largestFree()));
    }
    const table = this.#table;
    table.status[slot] = pinned ? 'pinned' : 'allocated';
    table.tensorId[slot] = tensorId;
    table.allocatedAt[slot] = now;
    table.lastAccessed[slot] = now;
    this.#held.add(slot);
    return ok({ blockId: table.idOf(slot), offset: table.offset[slot] ?? 0, actualSize });
  }

  /** Frees the block, pinned or not, and answers its bytes. Freed before: `block_free`. */
  free(blockId: BlockId): Result<number, BlockFault> {
    const slot = this.#find(blockId, granted);
    if (slot === 0) return err(this.#blockFault(blockId, granted));
    const bytes = this.#table.size[slot] ?? 0;
    this.#release(slot);
    return ok(bytes);
  }

  /** The owner can do without the block: it may be evicted. From allocated; cached stays cached. */
  markCached(blockId: BlockId): Result<MemoryBlock, BlockFault> {
    return this.#change(blockId, movable, 'cached');
  }

  /** The address is in use from outside: the block stays where it is. From allocated or cached. */
  pin(blockId: BlockId): Result<MemoryBlock, BlockFault> {
    return this.#change(blockId, movable, 'pinned');
  }

  /** From pinned back to allocated. */
  unpin(blockId: BlockId): Result<MemoryBlock, BlockFault> {
    return this.#change(blockId, ['pinned'], 'allocated');
  }

  /** Notes a use at `now`; a time before the last one noted changes nothing. */
  touch(blockId: BlockId, now: number): Result<MemoryBlock, BlockFault | Fault<'invalid_time'>> {
    if (!isCount(now)) {
      const bound = 'whole, within 0..2^53 - 1';
      return err(
        invalid('invalid_time', `touch of block ${blockId}`, [{ field: 'now', value: now, bound }]),
      );
    }
    const slot = this.#find(blockId, granted);
    if (slot === 0) return err(this.#blockFault(blockId, granted));
    this.#held.remove(slot);
    this.#table.lastAccessed[slot] = Math.max(this.#table.lastAccessed[slot] ?? 0, now);
    this.#held.add(slot);
    return ok(this.#table.blockAt(slot));
  }

  /**
   * Frees cached blocks, the longest unused first, of equally old ones the lowest, until `neededBytes`
   * are freed or none is left. Whole blocks, so it may free more; 0 frees none.
   */
  evict(neededBytes: number): Result<Eviction, Fault<'invalid_eviction'>> {
    if (!isCount(neededBytes)) {
      const bound = 'whole, within 0..2^53 - 1';
      const violations = [{ field: 'neededBytes', value: neededBytes, bound }];
      return err(invalid('invalid_eviction', `device "${this.device.deviceId}"`, violations));
    }
    const evicted: MemoryBlock[] = [];
    let freedBytes = 0;
    while (freedBytes < neededBytes) {
      const slot = this.#held.evictionCandidate();
      if (slot === 0) break;
      const block = this.#table.blockAt(slot);
      this.#release(slot);
      evicted.push(block);
      freedBytes += block.size;
    }
    return ok({ freedBytes, evicted });
  }

  /**
   * Slides allocated and cached blocks, the lowest first, each to the lowest aligned address behind
   * the block before it. Their order stays, so none passes a pinned block. Of a block nothing but the
   * offset changes. One entry for each that moved.
   */
  defragment(): readonly BlockMove[] {
    const moves: BlockMove[] = [];
    for (const slot of this.#table.slots()) {
      const { blockId, tensorId = '', offset, size, status } = this.#table.blockAt(slot);
      if (!movable.includes(status)) continue;
      this.#held.remove(slot);
      this.#space.slideDown(slot);
      this.#held.add(slot);
      const toOffset = this.#table.offset[slot] ?? 0;
      if (toOffset === offset) continue;
      moves.push({ blockId, tensorId, fromOffset: offset, toOffset, size });
    }
    return moves;
  }

  stats(): PoolStats {
    const freeBytes = this.#freeBytes();
    const largestFreeBlock = this.#space.largestFree();
    return {
      totalBytes: this.device.totalMemory,
      allocatedBytes: this.#held.bytes,
      freeBytes,
      pinnedBytes: this.#held.pinnedBytes,
      cachedBytes: this.#held.cachedBytes,
      fragmentationRatio: fragmentationOf(largestFreeBlock, freeBytes),
      largestFreeBlock,
      blockCount: this.#table.count,
      allocationCount: this.#held.count,
    };
  }

  /** A copy, also of a free block; absent for an id that is unknown or spent. */
  getBlock(blockId: BlockId): MemoryBlock | undefined {
    const slot = this.#table.slotOf(blockId);
    return slot === 0 ? undefined : this.#table.blockAt(slot);
  }

  /** Copies of all blocks by ascending offset, the free ones too. */
  blocks(): readonly MemoryBlock[] {
    return Array.from(this.#table.slots(), (slot) => this.#table.blockAt(slot));
  }

  /** Copies of the tensor's blocks by ascending offset. Looks at every block: no step of a hot path. */
  blocksForTensor(tensorId: string): readonly MemoryBlock[] {
    return this.blocks().filter((block) => block.tensorId === tensorId);
  }

  /** The alignment that the block was granted with; absent for one that is free or unknown. */
  alignmentOf(blockId: BlockId): number | undefined {
    const slot = this.#find(blockId, granted);
    return slot === 0 ? undefined : this.#table.alignment[slot];
  }

  #freeBytes(): number {
    return this.device.totalMemory - this.#held.bytes;
  }

  #release(slot: number): void {
    this.#held.remove(slot);
    this.#table.tensorId[slot] = '';
    this.#table.allocatedAt[slot] = 0;
    this.#table.lastAccessed[slot] = 0;
    this.#space.release(slot);
  }

  #change(
    blockId: BlockId,
    from: readonly BlockStatus[],
    to: BlockStatus,
  ): Result<MemoryBlock, BlockFault> {
    const slot = this.#find(blockId, from);
    if (slot === 0) return err(this.#blockFault(blockId, from));
    this.#held.remove(slot);
    this.#table.status[slot] = to;
    this.#held.add(slot);
    return ok(this.#table.blockAt(slot));
  }

  /** The slot of the block, or 0 when it has none of the statuses. */
  #find(blockId: BlockId, statuses: readonly BlockStatus[]): number {
    const slot = this.#table.slotOf(blockId);
    return statuses.includes(this.#table.status[slot] ?? 'free') ? slot : 0;
  }

  /** Why {@link GpuMemoryPool.#find} has not found the block. */
  #blockFault(blockId: BlockId, statuses: readonly BlockStatus[]): BlockFault {
    const slot = this.#table.slotOf(blockId);
    const subject = `block ${blockId} of device "${this.device.deviceId}"`;
    if (slot === 0 && !this.#table.hasGiven(blockId)) {
      return fault('block_not_found', `${subject} has never been given`);
    }
    // A spent id is that of a block that was freed and has become part of another since.
    const status = slot === 0 ? 'free' : (this.#table.status[slot] ?? 'free');
    return fault(
      `block_${status}`,
      `${subject} is ${status}, but must be ${statuses.join(' or ')}`,
    );
  }
}
