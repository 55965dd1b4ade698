// The twin that SharedTokenBucket is measured against: tokens and time of the last refill as doubles
// in shared memory, changed under one mutex.
import { lineWords } from '../../src/io/shared-memory/words.ts';
import { Mutex } from './mutex.ts';

/** Doubles, in the line after that of the mutex. */
const tokensAt = lineWords / 2;
const markAt = tokensAt + 1;

export class GuardedBucket {
  readonly #state: Float64Array;
  readonly #mutex: Mutex;
  readonly #capacity: number;
  readonly #rate: number;

  static buffer(capacity: number): SharedArrayBuffer {
    const buffer = new SharedArrayBuffer(2 * lineWords * 4);
    new Float64Array(buffer)[tokensAt] = capacity;
    return buffer;
  }

  constructor(buffer: SharedArrayBuffer, capacity: number, rate: number) {
    this.#state = new Float64Array(buffer);
    this.#mutex = new Mutex(new Int32Array(buffer), 0);
    this.#capacity = capacity;
    this.#rate = rate;
  }

  tryAcquire(now: number): boolean {
    const state = this.#state;
    this.#mutex.lock();
    let tokens = state[tokensAt] ?? 0;
    const mark = state[markAt] ?? 0;
    if (now > mark) {
      tokens = Math.min(this.#capacity, tokens + (now - mark) * this.#rate);
      state[markAt] = now;
    }
    const isGranted = tokens >= 1;
    state[tokensAt] = isGranted ? tokens - 1 : tokens;
    this.#mutex.unlock();
    return isGranted;
  }
}
