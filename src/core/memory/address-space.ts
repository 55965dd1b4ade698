// The addresses of one device, cut into blocks that are free or granted. Free neighbours are joined
// at once, so a free range is always one block and a search sees it whole.
//
// A grant takes the front of a free block from its first aligned address on:
//
//   [ free ............................ ]
//   [ padding ][ granted ][ rest ....... ]     padding and rest are free, or absent when empty
//
// A slide hands a granted block the free block before it:
//
//   [ free ....... ][ granted ][ free or granted ]
//   [ padding ][ granted ][ free ..... ]
//
// S1  Blocks follow each other without gap or overlap from 0 to the total, and none is empty.
// S2  No two free blocks are neighbours.
// S3  The index holds the free blocks and no others, each under its size and offset.

import { alignUp } from './alignment.ts';
import type { BlockTable } from './block-table.ts';
import { FreeIndex } from './free-index.ts';

export class AddressSpace {
  readonly #table: BlockTable;
  readonly #index = new FreeIndex();

  /** Takes the blocks of the table as they stand. */
  constructor(table: BlockTable) {
    this.#table = table;
    for (const slot of table.slots()) if (this.#isFree(slot)) this.#addToIndex(slot);
  }

  /** Bytes, 0 when nothing is free. */
  largestFree(): number {
    return this.#index.largest();
  }

  /**
   * Grants `size` bytes at a multiple of `alignment`, from the smallest free block in which they fit,
   * of equal ones the lowest. A new block with the status `allocated`, or 0 when none fits.
   */
  grant(size: number, alignment: number): number {
    const { offset: offsets, size: sizes, status } = this.#table;
    const free = this.#bestFit(size, alignment);
    if (free === 0) return 0;
    const offset = offsets[free] ?? 0;
    const end = offset + (sizes[free] ?? 0);
    const start = alignUp(offset, alignment);
    this.#index.remove(free, end - offset);
    if (start > offset) this.#insertFree(free, offset, start - offset);
    const slot = this.#table.insertBefore(free, start, size);
    status[slot] = 'allocated';
    this.#table.alignment[slot] = alignment;
    if (start + size < end) this.#setFree(free, start + size, end - start - size);
    else this.#table.remove(free);
    return slot;
  }

  /** Frees a granted block and joins it with free neighbours; what comes of it keeps the lowest id. */
  release(slot: number): void {
    const { size: sizes, offset: offsets, status, previous, next } = this.#table;
    const after = next[slot] ?? 0;
    let size = sizes[slot] ?? 0;
    if (this.#isFree(after)) size += this.#takeFree(after);
    const before = previous[slot] ?? 0;
    status[slot] = 'free';
    this.#table.alignment[slot] = 1;
    if (this.#isFree(before)) {
      this.#index.remove(before, sizes[before] ?? 0);
      this.#table.remove(slot);
      this.#setFree(before, offsets[before] ?? 0, size + (sizes[before] ?? 0));
    } else this.#setFree(slot, offsets[slot] ?? 0, size);
  }

  /** Moves a granted block to the lowest aligned address in the free block before it, if any. */
  slideDown(slot: number): void {
    const { offset: offsets, size: sizes, alignment, previous, next } = this.#table;
    const gap = previous[slot] ?? 0;
    if (!this.#isFree(gap)) return;
    const from = offsets[slot] ?? 0;
    const start = offsets[gap] ?? 0;
    const target = alignUp(start, alignment[slot] ?? 1);
    if (target === from) return;
    this.#index.remove(gap, from - start);
    if (target > start) this.#setFree(gap, start, target - start);
    else this.#table.remove(gap);
    offsets[slot] = target;
    const end = target + (sizes[slot] ?? 0);
    const after = next[slot] ?? 0;
    const beyond = this.#isFree(after) ? this.#takeFree(after) : 0;
    this.#insertFree(next[slot] ?? 0, end, from - target + beyond);
  }

  /**
   * Walks up the index from `size`. A block that is `alignment` larger than asked always fits, so the
   * walk ends at the first of those.
   */
  #bestFit(size: number, alignment: number): number {
    const { offset: offsets, size: sizes } = this.#table;
    let slot = this.#index.firstFrom(size, 0);
    while (slot !== 0) {
      const offset = offsets[slot] ?? 0;
      const own = sizes[slot] ?? 0;
      if (alignUp(offset, alignment) - offset <= own - size) return slot;
      slot = this.#index.firstFrom(own, offset + 1);
    }
    return 0;
  }

  #isFree(slot: number): boolean {
    return this.#table.status[slot] === 'free';
  }

  #addToIndex(slot: number): void {
    this.#index.add(slot, this.#table.size[slot] ?? 0, this.#table.offset[slot] ?? 0);
  }

  #insertFree(at: number, offset: number, size: number): void {
    this.#setFree(this.#table.insertBefore(at, offset, size), offset, size);
  }

  /** Gives a free block that is not in the index its place, and puts it there. */
  #setFree(slot: number, offset: number, size: number): void {
    this.#table.offset[slot] = offset;
    this.#table.size[slot] = size;
    this.#index.add(slot, size, offset);
  }

  /** Removes a free block; its bytes are the caller's to place. */
  #takeFree(slot: number): number {
    const size = this.#table.size[slot] ?? 0;
    this.#index.remove(slot, size);
    this.#table.remove(slot);
    return size;
  }
}
