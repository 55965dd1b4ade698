// A mutex in shared memory for the guarded twins: 0 free, 1 held, 2 held and waited for (U. Drepper,
// "Futexes Are Tricky", 2011, the second mutex). Uncontended it costs one exchange to take and one
// to give; a thread that finds it held sleeps until it is woken.

const free = 0;
const held = 1;
const waitedFor = 2;

export class Mutex {
  readonly #words: Int32Array;
  readonly #at: number;

  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  lock(): void {
    if (Atomics.compareExchange(this.#words, this.#at, free, held) === free) return;
    while (Atomics.exchange(this.#words, this.#at, waitedFor) !== free) {
      Atomics.wait(this.#words, this.#at, waitedFor);
    }
  }

  unlock(): void {
    if (Atomics.exchange(this.#words, this.#at, free) === waitedFor) {
      Atomics.notify(this.#words, this.#at, 1);
    }
  }
}
