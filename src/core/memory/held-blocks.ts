// The blocks of a pool that are not free, counted by what they hold, and the cached ones in the order
// in which they may be evicted. Kept up with each change, so that no figure needs a look at all blocks.
//
// H1  A block is counted from `add` to `remove`, under the status, size, offset and last access that
//     it has then; in between none of them changes.

import type { BlockTable } from './block-table.ts';
import { SlotTreap } from './slot-treap.ts';

export class HeldBlocks {
  readonly #table: BlockTable;
  /** By (lastAccessed, offset). */
  readonly #cached = new SlotTreap();
  #cachedRoot = 0;
  #count = 0;
  #bytes = 0;
  #pinnedBytes = 0;
  #cachedBytes = 0;

  /** Takes the blocks of the table as they stand. */
  constructor(table: BlockTable) {
    this.#table = table;
    for (const slot of table.slots()) if (table.status[slot] !== 'free') this.add(slot);
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get pinnedBytes(): number {
    return this.#pinnedBytes;
  }

  get cachedBytes(): number {
    return this.#cachedBytes;
  }

  /** The cached block that is the first to be evicted, or 0. */
  evictionCandidate(): number {
    return this.#cached.first(this.#cachedRoot);
  }

  add(slot: number): void {
    const { status, size, lastAccessed, offset } = this.#table;
    this.#count += 1;
    this.#tally(slot, size[slot] ?? 0);
    if (status[slot] !== 'cached') return;
    const accessed = lastAccessed[slot] ?? 0;
    this.#cachedRoot = this.#cached.insert(this.#cachedRoot, slot, accessed, offset[slot] ?? 0);
  }

  remove(slot: number): void {
    const { status, size } = this.#table;
    this.#count -= 1;
    this.#tally(slot, -(size[slot] ?? 0));
    if (status[slot] !== 'cached') return;
    this.#cachedRoot = this.#cached.remove(this.#cachedRoot, slot);
  }

  #tally(slot: number, bytes: number): void {
    const status = this.#table.status[slot];
    this.#bytes += bytes;
    if (status === 'pinned') this.#pinnedBytes += bytes;
    if (status === 'cached') this.#cachedBytes += bytes;
  }
}
