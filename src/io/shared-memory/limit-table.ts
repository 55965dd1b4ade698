// What the scopes of limits have used, in memory that all threads share: a slot for each scope that had
// a limit. Which scope has which slot is told to threads with the limits themselves.
//
//   slot   0-1 requests of a minute   2-3 tokens of a minute (rate-meter.ts)
//          4 requests in flight   5 zero
//          6 the month's spend of the scope (month-spend.ts), 2 + 2 words per thread
//          behind it, per thread: of the requests in flight those of this thread; it alone writes
//          them while it lives, and when it is dead the owner takes them back
//
//   L1  Requests in flight are never more than `max` for whoever enters with one.
//   L2  A thread notes what it has in flight after it has entered and before it leaves: what is taken
//       back of a dead thread is never more than what it had in flight.

import { MonthSpend } from './month-spend.ts';
import { RateMeter } from './rate-meter.ts';
import { createWordBlock, openWords, type WordBlock } from './shared-words.ts';
import { type Words, wholeLines } from './words.ts';

const inFlightWord = 4;
const spendWord = 6;

/** Scopes with a limit at once, and of all times until a slot is used again. */
export const limitSlots = 4096;

/** Posted to a thread as it is. */
export type LimitTableParts = { readonly block: WordBlock; readonly threads: number };

function heldWord(threads: number): number {
  return spendWord + MonthSpend.wordsFor(threads);
}

function slotWords(threads: number): number {
  return wholeLines(heldWord(threads) + threads);
}

/** The words of one scope, for one gateway thread or for the owner. */
export class LimitSlot {
  readonly requests: RateMeter;
  readonly tokens: RateMeter;
  readonly spend: MonthSpend;
  readonly #words: Words;
  readonly #inFlight: number;
  /** The first of the threads' own words. */
  readonly #held: number;
  readonly #thread: number | undefined;

  constructor(words: Words, at: number, threads: number, thread: number | undefined) {
    this.#words = words;
    this.requests = new RateMeter(words, at);
    this.tokens = new RateMeter(words, at + RateMeter.words);
    this.spend = new MonthSpend(words, thread, at + spendWord);
    this.#inFlight = at + inFlightWord;
    this.#held = at + heldWord(threads);
    this.#thread = thread;
  }

  get inFlight(): number {
    return Math.max(0, this.#words.load(this.#inFlight));
  }

  /** Counts a request in flight; false when `max` are, and then it is not counted. */
  enter(max = Number.POSITIVE_INFINITY): boolean {
    if (!this.#add(1, max)) return false;
    this.#hold(1);
    return true;
  }

  leave(): void {
    this.#hold(-1);
    this.#add(-1, Number.POSITIVE_INFINITY);
  }

  #hold(delta: 1 | -1): void {
    if (this.#thread === undefined) return;
    const at = this.#held + this.#thread;
    this.#words.scribble(at, this.#words.glance(at) + delta);
  }

  #add(delta: number, max: number): boolean {
    for (let failures = 1; ; failures++) {
      const before = this.#words.load(this.#inFlight);
      if (delta > 0 && before >= max) return false;
      if (this.#words.compareExchange(this.#inFlight, before, before + delta) === 1) return true;
      this.#words.pause(failures);
    }
  }

  /** Takes back what a dead thread held; for the owner. */
  reclaim(thread: number): void {
    const count = this.#words.load(this.#held + thread);
    this.#words.store(this.#held + thread, 0);
    if (count !== 0) this.#add(-count, Number.POSITIVE_INFINITY);
    this.spend.reclaim(thread);
  }
}

export class LimitTable {
  readonly #words: Words;
  readonly #threads: number;
  readonly #thread: number | undefined;

  static create(threads: number, slots = limitSlots): LimitTableParts {
    return { block: createWordBlock(slots * slotWords(threads)), threads };
  }

  /** For one gateway thread, from 0 on; without a number for the owner. */
  constructor({ block, threads }: LimitTableParts, thread?: number) {
    this.#words = openWords(block);
    this.#threads = threads;
    this.#thread = thread;
  }

  slot(index: number): LimitSlot {
    const at = index * slotWords(this.#threads);
    return new LimitSlot(this.#words, at, this.#threads, this.#thread);
  }
}
