// A bounded queue: the highest priority first, first in first out among equals (platform
// specification A.9). At its limit it refuses; it never puts out a waiting item for a better one,
// so what was once accepted is served.
//
// A binary heap whose order is (priority descending, ticket ascending). A ticket is drawn for each
// item accepted, so the order is total and equals leave in the order in which they came.
//
//   I1  size <= hard limit.
//   I2  no entry of the heap comes before its parent.
//   I3  tickets are drawn once and ascend, so equals leave in the order of arrival.

import { assert } from '../../base/assert.ts';
import { isCount } from '../../base/numbers.ts';
import type { QueueItem } from './queue-item.ts';

type Entry<Item> = { readonly item: Item; readonly ticket: number };

export class PriorityQueue<Item extends { readonly priority: number } = QueueItem> {
  readonly hardLimit: number;
  readonly #heap: Entry<Item>[] = [];
  #nextTicket = 0;

  /** `hardLimit` is a whole number; a queue with the limit 0 accepts nothing. */
  constructor(hardLimit: number) {
    assert(isCount(hardLimit), `the hard limit of a queue is ${hardLimit}`);
    this.hardLimit = hardLimit;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** False when the queue is full or the priority is not finite; the queue is then untouched. */
  enqueue(item: Item): boolean {
    if (this.#heap.length >= this.hardLimit || !Number.isFinite(item.priority)) return false;
    this.#heap.push({ item, ticket: this.#nextTicket++ });
    this.#rise(this.#heap.length - 1);
    return true;
  }

  /** Takes out the first item; undefined when the queue is empty. */
  dequeue(): Item | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return first.item;
  }

  /** The item that `dequeue` would take out. */
  peek(): Item | undefined {
    return this.#heap[0]?.item;
  }

  /** Takes out everything, in the order of `dequeue`. */
  drain(): Item[] {
    const entries = this.#heap.splice(0).sort((a, b) => (comesBefore(a, b) ? -1 : 1));
    return entries.map(({ item }) => item);
  }

  clear(): void {
    this.#heap.length = 0;
  }

  #rise(start: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapUnlessOrdered(parent, at)) return;
      at = parent;
    }
  }

  #sink(start: number): void {
    let at = start;
    for (;;) {
      const left = 2 * at + 1;
      const child = this.#comesBefore(left + 1, left) ? left + 1 : left;
      if (!this.#swapUnlessOrdered(at, child)) return;
      at = child;
    }
  }

  /** Is there an entry at both places, and does the one at `a` come first? */
  #comesBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    return one !== undefined && other !== undefined && comesBefore(one, other);
  }

  #swapUnlessOrdered(parent: number, child: number): boolean {
    const [above, below] = [this.#heap[parent], this.#heap[child]];
    if (above === undefined || below === undefined || comesBefore(above, below)) return false;
    this.#heap[parent] = below;
    this.#heap[child] = above;
    return true;
  }
}

function comesBefore<Item extends { readonly priority: number }>(
  one: Entry<Item>,
  other: Entry<Item>,
): boolean {
  const [mine, theirs] = [one.item.priority, other.item.priority];
  return mine === theirs ? one.ticket < other.ticket : mine > theirs;
}
