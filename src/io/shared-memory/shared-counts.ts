// Small counts that all gateway threads share: open connections and rejected credentials per client
// address, requests in flight per key. Fixed size, no locks. Two addresses that fall into one cell share
// its count; with 65 536 cells that is rare, and the worst it does is refuse a connection of an
// address that is not the noisy one, or answer 429 instead of 401 to a bad key.

import { textHash } from '../../base/text-hash.ts';

const cells = 65_536;
const wordsPerCell = 3;
const openWord = 0;
const windowWord = 1;
const rejectedWord = 2;

/** Rejected credentials within this many seconds count together. */
const windowSeconds = 60;

function cellOf(text: string): number {
  const hash = textHash(text);
  return ((hash ^ (hash >>> 16)) >>> 0) % cells;
}

export class SharedCounts {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(cells * wordsPerCell * 4);
    this.#words = new Int32Array(this.buffer);
  }

  /** Counts a connection of `address`; the number now open. */
  connectionOpened(address: string): number {
    return Atomics.add(this.#words, cellOf(address) * wordsPerCell + openWord, 1) + 1;
  }

  connectionClosed(address: string): void {
    Atomics.sub(this.#words, cellOf(address) * wordsPerCell + openWord, 1);
  }

  /** Counts a request of the key; the number now in flight. */
  requestStarted(keyId: string): number {
    return this.connectionOpened(keyId);
  }

  requestEnded(keyId: string): void {
    this.connectionClosed(keyId);
  }

  /**
   * Counts one rejected credential under `key`, which names a client and a kind of path. Answers 0 for the `allowed`
   * first ones of a minute, which may be told 401, else the whole seconds until the window ends.
   * Valid credentials never ask: a good key passes from a noisy address.
   */
  rejectionDelaySeconds(key: string, nowSeconds: number, allowed: number): number {
    const at = cellOf(key) * wordsPerCell;
    const now = nowSeconds | 0;
    const started = Atomics.load(this.#words, at + windowWord);
    if (started === 0 || now - started >= windowSeconds || now < started) {
      if (Atomics.compareExchange(this.#words, at + windowWord, started, now) === started) {
        Atomics.store(this.#words, at + rejectedWord, 1);
        return 0;
      }
    }
    const count = Atomics.add(this.#words, at + rejectedWord, 1) + 1;
    if (count <= allowed) return 0;
    return Math.max(1, Atomics.load(this.#words, at + windowWord) + windowSeconds - now);
  }
}
