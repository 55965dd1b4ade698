// What each gateway thread tells the others about the requests that wait on it, so that a thread that
// frees a backend sees whether somebody elsewhere goes first: who has the higher band, and within a
// band the thread that was given the fewest tokens. Fixed size, no locks, and a hint only.
//
//   row of a thread   64 cells, each the highest band that waits in a lane, 0 for nobody; lanes that
//                     fall into one cell share it. Then the tokens given to the thread
//   mark              behind the rows: where the thread began that was given some last
//
// Between threads tokens are shared as between groups on one thread (core/queue/waiting-line.ts): a
// thread on which nobody waited begins at the mark. Tokens count modulo 2^32, and of two counts that
// one is the smaller from which the other is less than 2^31 away.

import { textHash } from '../../base/text-hash.ts';

const cells = 64;
const rowWords = cells + 1;

function cellOf(lane: string): number {
  const hash = textHash(lane);
  return (hash ^ (hash >>> 16)) & (cells - 1);
}

/** The later of two counts. */
function later(one: number, other: number): number {
  return ((one - other) | 0) > 0 ? one : other;
}

export type BoardParts = { readonly buffer: SharedArrayBuffer; readonly threads: number };

/** The highest band, 1 to 5, that waits in a lane. */
export type BandOfLane = { readonly lane: string; readonly band: number };

export class WaitingBoard {
  readonly parts: BoardParts;
  readonly #words: Int32Array;
  readonly #thread: number;
  readonly #own = new Set<number>();

  static create(threads: number): BoardParts {
    return { buffer: new SharedArrayBuffer((threads * rowWords + 1) * 4), threads };
  }

  /** Opens it for a gateway thread, on which nobody waits then. */
  constructor(parts: BoardParts, thread: number) {
    this.parts = parts;
    this.#words = new Int32Array(parts.buffer);
    this.#thread = thread;
    clearBoard(parts, thread);
  }

  /** Replaces what this thread told. */
  tell(bands: readonly BandOfLane[]): void {
    const told = new Map<number, number>();
    for (const { lane, band } of bands) {
      const cell = cellOf(lane);
      told.set(cell, Math.max(told.get(cell) ?? 0, band));
    }
    for (const cell of this.#own) if (!told.has(cell)) this.#store(cell, 0);
    this.#own.clear();
    for (const [cell, band] of told) {
      this.#store(cell, band);
      this.#own.add(cell);
    }
  }

  /** One that waited on this thread was placed. */
  placed(tokens: number): void {
    const start = this.#startOf(this.#thread);
    Atomics.store(this.#words, this.parts.threads * rowWords, start);
    this.#store(cells, start + Math.max(1, tokens));
  }

  /** Does somebody of `band` or a higher one wait in the lane on another thread? */
  waits({ lane, band }: BandOfLane): boolean {
    return this.#someThread(lane, (other) => other >= band);
  }

  /** The same of those who go before one of `band` that waits on this thread. */
  isAhead({ lane, band }: BandOfLane): boolean {
    const start = this.#startOf(this.#thread);
    return this.#someThread(
      lane,
      (other, thread) =>
        other > band || (other === band && ((this.#startOf(thread) - start) | 0) < 0),
    );
  }

  #someThread(lane: string, holds: (band: number, thread: number) => boolean): boolean {
    const cell = cellOf(lane);
    for (let thread = 0; thread < this.parts.threads; thread++) {
      if (thread === this.#thread) continue;
      if (holds(Atomics.load(this.#words, thread * rowWords + cell), thread)) return true;
    }
    return false;
  }

  #startOf(thread: number): number {
    const mark = Atomics.load(this.#words, this.parts.threads * rowWords);
    return later(mark, Atomics.load(this.#words, thread * rowWords + cells));
  }

  #store(word: number, value: number): void {
    Atomics.store(this.#words, this.#thread * rowWords + word, value);
  }
}

/** Nobody waits on this thread: it begins, or it is dead. */
export function clearBoard({ buffer }: BoardParts, thread: number): void {
  const words = new Int32Array(buffer);
  for (let cell = 0; cell < cells; cell++) Atomics.store(words, thread * rowWords + cell, 0);
}
