// The port through which lock-free structures reach memory that several threads share: 32-bit words
// by index. Behind it is shared-words.ts, the one file that touches Atomics, or in tests a memory
// that lets one step of one thread pass at a time, so that interleavings can be enumerated.
//
// All steps but `glance` and `scribble` are sequentially consistent: there is one order of them in
// which each sees the last write before it.

export interface Words {
  load(index: number): number;
  store(index: number, value: number): void;
  /** Writes `next` where `expected` stands; 1 when it did, 0 when something else stood there. */
  compareExchange(index: number, expected: number, next: number): number;
  /** The same for the 64 bits of the words `index`, which is even, (low half) and `index + 1`. */
  compareExchange64(
    index: number,
    expectedLow: number,
    expectedHigh: number,
    low: number,
    high: number,
  ): number;
  /**
   * Reads without order: the value may be older or newer than what a `load` would give. It may be
   * acted on only when a later compare-and-exchange proves that nothing has changed.
   */
  glance(index: number): number;
  /** Writes without order: for hints, and for words that no other thread reads meanwhile. */
  scribble(index: number, value: number): void;
  /** Called after the `failures`-th attempt in a row that met another thread's change. */
  pause(failures: number): void;
}

/** Words of a cache line: what different threads write apart should not share one. */
export const lineWords = 16;

/** `words`, rounded up to whole cache lines. */
export function wholeLines(words: number): number {
  return (words + lineWords - 1) & -lineWords;
}
