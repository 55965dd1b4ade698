// What happens next on virtual time: a binary heap of events by time, and in order of scheduling
// within one instant, so that the same calls give the same order on any machine.
//
//   Q1  Events leave in ascending time; of one time, in the order in which they were scheduled.
//   Q2  Time never goes back: nothing is scheduled before what has left already.

import { assert, present } from '../../base/assert.ts';

type Entry<Event> = { readonly at: number; readonly order: number; readonly event: Event };

function isBefore<Event>(a: Entry<Event>, b: Entry<Event>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

export class EventQueue<Event> {
  readonly #heap: Entry<Event>[] = [];
  #scheduled = 0;
  #now = Number.NEGATIVE_INFINITY;

  get size(): number {
    return this.#heap.length;
  }

  /** The time of the next event; undefined without one. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** `at` in the unit of the caller, not before the event that left last. */
  schedule(at: number, event: Event): void {
    assert(at >= this.#now, `an event at ${at} would be before ${this.#now}`);
    const entry = { at, order: this.#scheduled++, event };
    let i = this.#heap.length;
    this.#heap.push(entry);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = this.#heap[parent] as Entry<Event>;
      if (isBefore(above, entry)) break;
      this.#heap[i] = above;
      i = parent;
    }
    this.#heap[i] = entry;
  }

  /** Takes the next event. */
  next(): { readonly at: number; readonly event: Event } | undefined {
    const first = this.#heap[0];
    if (first === undefined) return undefined;
    const last = present(this.#heap.pop(), 'the heap has an entry');
    if (this.#heap.length > 0) this.#sink(last);
    this.#now = first.at;
    return first;
  }

  #sink(entry: Entry<Event>): void {
    const heap = this.#heap;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Entry<Event>)) child++;
      const below = heap[child] as Entry<Event>;
      if (isBefore(entry, below)) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = entry;
  }
}
