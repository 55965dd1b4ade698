// The account of a pool in its plainest form: a list of what is held, by ascending offset, and the
// gaps between are what is free. Every question is a walk over the list. It is the oracle of the
// property tests and the yardstick of the benchmark, so it shares nothing with the pool but alignUp.

import { alignUp } from './alignment.ts';
import type { BlockStatus } from './memory-block.ts';

type Held = {
  readonly key: number;
  readonly tensorId: string;
  offset: number;
  readonly size: number;
  readonly alignment: number;
  status: BlockStatus;
  lastAccessed: number;
};

type Gap = { readonly offset: number; readonly size: number };

export type Fit = 'best' | 'first';

export class ListPool {
  readonly #total: number;
  readonly #fit: Fit;
  readonly #held: Held[] = [];
  #nextKey = 1;

  constructor(total: number, fit: Fit = 'best') {
    this.#total = total;
    this.#fit = fit;
  }

  get held(): readonly Held[] {
    return this.#held;
  }

  find(key: number): Held | undefined {
    return this.#held.find((held) => held.key === key);
  }

  gaps(): readonly Gap[] {
    const gaps: Gap[] = [];
    this.#eachGap((offset, size) => gaps.push({ offset, size }));
    return gaps;
  }

  /** `size` is a multiple of the alignment already. */
  allocate(
    size: number,
    alignment: number,
    { tensorId = '', pinned = false, now = 0 } = {},
  ): Held | 'capacity' | 'fragmentation' {
    const heldBytes = this.#held.reduce((sum, held) => sum + held.size, 0);
    if (heldBytes + size > this.#total) return 'capacity';
    const offset = this.#placeFor(size, alignment);
    if (offset === undefined) return 'fragmentation';
    const held: Held = {
      key: this.#nextKey++,
      tensorId,
      offset,
      size,
      alignment,
      status: pinned ? 'pinned' : 'allocated',
      lastAccessed: now,
    };
    const at = this.#held.findIndex((other) => other.offset > offset);
    this.#held.splice(at === -1 ? this.#held.length : at, 0, held);
    return held;
  }

  free(key: number): void {
    this.#held.splice(
      this.#held.findIndex((held) => held.key === key),
      1,
    );
  }

  /** The bytes freed. */
  evict(needed: number): number {
    let freed = 0;
    while (freed < needed) {
      const cached = this.#held.filter(({ status }) => status === 'cached');
      const victim = cached.toSorted(
        (a, b) => a.lastAccessed - b.lastAccessed || a.offset - b.offset,
      )[0];
      if (victim === undefined) break;
      this.free(victim.key);
      freed += victim.size;
    }
    return freed;
  }

  /** The keys of those that moved, in the order of their offsets. */
  defragment(): readonly number[] {
    const moved: number[] = [];
    let end = 0;
    for (const held of this.#held) {
      const target = held.status === 'pinned' ? held.offset : alignUp(end, held.alignment);
      if (target !== held.offset) moved.push(held.key);
      held.offset = target;
      end = target + held.size;
    }
    return moved;
  }

  /** The aligned start in the gap that is picked. */
  #placeFor(size: number, alignment: number): number | undefined {
    let found: number | undefined;
    let smallest = Infinity;
    this.#eachGap((offset, bytes) => {
      const start = alignUp(offset, alignment);
      if (start + size > offset + bytes) return;
      if (this.#fit === 'first' ? found !== undefined : bytes >= smallest) return;
      found = start;
      smallest = bytes;
    });
    return found;
  }

  #eachGap(visit: (offset: number, size: number) => void): void {
    let end = 0;
    for (const { offset, size } of this.#held) {
      if (offset > end) visit(end, offset - end);
      end = offset + size;
    }
    if (this.#total > end) visit(end, this.#total - end);
  }
}
