// A signed counter whose every operation is one indivisible step (platform specification A.2, 0.8):
// nothing happens between its reading and its writing. Within one thread a synchronous method is
// that step; counters that several threads share live in the arena.
//
//   I1  The value is a safe integer; an operation that would leave that range throws and changes
//       nothing.

import { assert } from '../../base/assert.ts';

export class AtomicCounter {
  #value: number;

  constructor(initial = 0) {
    assert(Number.isSafeInteger(initial), `counter of ${initial}`);
    this.#value = initial;
  }

  get(): number {
    return this.#value;
  }

  /** Returns the value after. */
  increment(): number {
    return this.add(1);
  }

  /** Returns the value after. */
  decrement(): number {
    return this.add(-1);
  }

  /** Adds a signed integer; returns the value after. */
  add(delta: number): number {
    const next = this.#value + delta;
    assert(Number.isSafeInteger(next), `counter at ${this.#value} cannot add ${delta}`);
    this.#value = next;
    return next;
  }

  /** Adds, then asks: is the value *after* at least `threshold`? Equality crosses. */
  addAndCheck(delta: number, threshold: number): boolean {
    return this.add(delta) >= threshold;
  }

  /**
   * Writes `next` if the value is `expected`. Returns the value observed *before*, so it succeeded
   * if and only if the result equals `expected`.
   */
  compareAndSwap(expected: number, next: number): number {
    assert(Number.isSafeInteger(next), `counter to ${next}`);
    const observed = this.#value;
    if (observed === expected) this.#value = next;
    return observed;
  }
}

/** Moves the counter `epochs` on and returns its value; 0 or fewer leave it as it is. */
export function advanceEpoch(counter: AtomicCounter, epochs: number): number {
  return epochs > 0 ? counter.add(epochs) : counter.get();
}
