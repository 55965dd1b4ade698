// The requests of one compatibility key that wait for others, in the order of the existing priority
// queue: the higher class first, among equals who came first. Who leaves before its turn stays in the
// queue as a blank, which is passed over.
//
//   B1  `size` and `items` are those of the requests that wait, without blanks.
//   B2  A blank is dropped at the latest when the group is empty.

import { compareNumbers } from '../../base/compare.ts';
import { PriorityQueue } from '../queue/priority-queue.ts';
import { boost } from '../queue/queue-item.ts';
import { type BatchRequest, itemBytesOf, itemsOf } from './batch-request.ts';

export type Pending<Request extends BatchRequest> = {
  readonly id: string;
  /** The class, raised for one that has starved. */
  readonly priority: number;
  readonly request: Request;
  /** Batches with it that failed. */
  readonly failures: number;
};

/** Above every class: one that has starved goes first. */
const starvedBoost = 5;

export class BatchGroup<Request extends BatchRequest> {
  readonly modelId: string;
  /** Bytes of the largest item that came; they are nearly equal, since their shapes are. */
  itemBytes = 0;
  readonly #queue: PriorityQueue<Pending<Request>>;
  readonly #live = new Map<string, Pending<Request>>();
  #items = 0;

  constructor(modelId: string, hardLimit: number) {
    this.modelId = modelId;
    // Blanks take places of the queue until they are met; the scheduler counts who waits.
    this.#queue = new PriorityQueue(4 * hardLimit);
  }

  get size(): number {
    return this.#live.size;
  }

  get items(): number {
    return this.#items;
  }

  /** Who waits, in the order of joining. */
  waiting(): Iterable<Pending<Request>> {
    return this.#live.values();
  }

  /** False when there is no room. */
  add(pending: Pending<Request>): boolean {
    if (!this.#queue.enqueue(pending)) return false;
    this.#live.set(pending.id, pending);
    this.#items += itemsOf(pending.request);
    this.itemBytes = Math.max(this.itemBytes, itemBytesOf(pending.request));
    return true;
  }

  /** It waits no more. False when it did not. */
  remove(id: string): boolean {
    const pending = this.#live.get(id);
    if (pending === undefined) return false;
    this.#live.delete(id);
    this.#items -= itemsOf(pending.request);
    if (this.#live.size === 0) this.#queue.clear();
    return true;
  }

  /** Who goes first; undefined when nobody waits. */
  first(): Pending<Request> | undefined {
    let first = this.#queue.peek();
    while (first !== undefined && this.#live.get(first.id) !== first) {
      this.#queue.dequeue();
      first = this.#queue.peek();
    }
    return first;
  }

  /** The highest class that waits; 0 when nobody does. */
  get priorityMax(): number {
    let highest = 0;
    for (const { priority } of this.#live.values()) highest = Math.max(highest, priority);
    return highest;
  }

  /** When the first of them came; infinite when nobody waits. */
  get oldestMs(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { request } of this.#live.values()) oldest = Math.min(oldest, request.arrivedMs);
    return oldest;
  }

  /** When the first of them has waited for long enough: `waitMs`, or until its deadline. */
  dueMs(waitMs: number): number {
    let due = Number.POSITIVE_INFINITY;
    for (const { request } of this.#live.values()) {
      const { arrivedMs, deadlineMs = Number.POSITIVE_INFINITY } = request;
      due = Math.min(due, arrivedMs + waitMs, deadlineMs);
    }
    return due;
  }

  /** Whoever came at `cutoffMs` or before goes first from now on. */
  promote(cutoffMs: number): void {
    const isStarved = ({ priority, request }: Pending<Request>): boolean =>
      priority <= starvedBoost && request.arrivedMs <= cutoffMs;
    if (![...this.#live.values()].some(isStarved)) return;
    const all = this.#queue.drain().filter((one) => this.#live.get(one.id) === one);
    // Among those that starved who came first goes first, whatever its class was.
    const starved = all
      .filter(isStarved)
      .sort((a, b) => compareNumbers(a.request.arrivedMs, b.request.arrivedMs));
    const boosted = starved.map((one) => boost(one, 2 * starvedBoost - one.priority));
    for (const one of boosted) this.#live.set(one.id, one);
    for (const one of [...boosted, ...all.filter((each) => !isStarved(each))]) {
      this.#queue.enqueue(one);
    }
  }

  /** Takes out who goes first, as many as have `limit` items together; nobody overtakes. */
  take(limit: number): readonly Pending<Request>[] {
    const taken: Pending<Request>[] = [];
    let left = limit;
    for (let next = this.first(); next !== undefined; next = this.first()) {
      const items = itemsOf(next.request);
      if (items > left) break;
      left -= items;
      this.#queue.dequeue();
      this.remove(next.id);
      taken.push(next);
    }
    return taken;
  }
}
