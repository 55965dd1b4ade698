// A ring of the newest items: bounded memory, constant time, the oldest falls out at the cap.

import { assert } from './assert.ts';

export class Ring<T> {
  readonly #items: (T | undefined)[];
  #next = 0;
  #size = 0;

  /** `capacity` is at least 1. */
  constructor(capacity: number) {
    assert(Number.isInteger(capacity) && capacity >= 1, `ring capacity ${capacity}`);
    this.#items = new Array<T | undefined>(capacity);
  }

  get size(): number {
    return this.#size;
  }

  get capacity(): number {
    return this.#items.length;
  }

  /** Adds `item`; returns the one that fell out, if any. */
  push(item: T): T | undefined {
    const dropped = this.#size === this.#items.length ? this.#items[this.#next] : undefined;
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.#items.length;
    if (this.#size < this.#items.length) this.#size++;
    return dropped;
  }

  /** Oldest first. */
  toArray(): T[] {
    const start = (this.#next - this.#size + this.#items.length) % this.#items.length;
    const out: T[] = [];
    for (let i = 0; i < this.#size; i++) {
      out.push(this.#items[(start + i) % this.#items.length] as T);
    }
    return out;
  }

  /** The newest item. */
  latest(): T | undefined {
    if (this.#size === 0) return undefined;
    return this.#items[(this.#next - 1 + this.#items.length) % this.#items.length];
  }

  clear(): void {
    this.#items.fill(undefined);
    this.#next = 0;
    this.#size = 0;
  }
}
