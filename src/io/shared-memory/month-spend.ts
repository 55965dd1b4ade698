// What the installation has spent this month, in memory that every thread shares: settled costs and
// what requests under way have reserved. Month and money are one value of 64 bits, so that the turn of
// the month is one compare-and-exchange that no reservation can fall into.
//
//   word 0   low 32 bits of the spend; words are counted from the first of the spend
//   word 1   month since January 1970 (12 bits, to the year 2311) | high 20 bits of the spend
//   2 + 2 t  what thread t has reserved and not settled, in the same form; it alone writes it while it
//            lives, and when it is dead the owner takes it back
//
// S1  The spend is the sum of what was settled in this month and of reservations that are not settled.
// S2  A reservation with a limit never takes the spend above the limit, whatever others do meanwhile.
// S3  The month never goes back: a thread whose clock is behind books on the month that has begun.
// S4  The spend is never below 0; beyond 2^52 micro-USD it stays there.
// S5  What a thread holds here is never more than what it has reserved of the spend: it is noted last
//     and struck out first, so that taking it back never makes room that is not there.

import { assert } from '../../base/assert.ts';
import type { Words } from './words.ts';

const spendHighBits = 20;
const highRange = 2 ** spendHighBits;
const lowRange = 2 ** 32;
/** The greatest spend, micro-USD: 4.5e9 USD. */
export const monthSpendMax = 2 ** (32 + spendHighBits) - 1;
const monthsMax = 2 ** (32 - spendHighBits);

/** Part of a month's spend that waits for its settlement. */
export type SpendReservation = {
  /** The month it was booked on, since January 1970. */
  readonly month: number;
  readonly microUsd: number;
};

function heldAt(at: number, thread: number): number {
  return at + 2 + 2 * thread;
}

export class MonthSpend {
  readonly #words: Words;
  readonly #at: number;
  /** Where this thread notes what it holds; undefined for the owner. */
  readonly #heldAt: number | undefined;

  /** Words of the spend and of what so many threads hold. */
  static wordsFor(threads: number): number {
    return 2 + 2 * threads;
  }

  /** For one gateway thread, from 0 on; without a number for the owner. `at`: its first word, even. */
  constructor(words: Words, thread?: number, at = 0) {
    this.#words = words;
    this.#at = at;
    this.#heldAt = thread === undefined ? undefined : heldAt(at, thread);
  }

  /** Micro-USD of `month`; 0 when no money was booked on it yet. */
  spent(month: number): number {
    for (;;) {
      const high = this.#words.load(this.#at + 1) >>> 0;
      const low = this.#words.load(this.#at) >>> 0;
      // Both halves belong together when the upper one has not changed around the lower one.
      if (this.#words.load(this.#at + 1) >>> 0 !== high) continue;
      return high >>> spendHighBits < month ? 0 : (high % highRange) * lowRange + low;
    }
  }

  /** Takes what the books say of `month`; for the owner, before any thread spends. */
  restore(month: number, microUsd: number): void {
    this.#change(month, () => microUsd);
  }

  /**
   * Books `microUsd` on `month`, or on the later one that has begun. Undefined when that would take
   * the spend above `limit`; nothing has changed then.
   */
  reserve(
    month: number,
    microUsd: number,
    limit: number | undefined,
  ): SpendReservation | undefined {
    const booked = this.#change(month, (spent) =>
      limit !== undefined && spent + microUsd > limit ? undefined : spent + microUsd,
    );
    if (booked === undefined) return undefined;
    const reservation = { month: booked, microUsd };
    this.#hold(reservation, 1);
    return reservation;
  }

  /**
   * Puts the real cost in the place of the reservation, to be done once. One of a month that is over
   * has gone with it: the cost then counts on the month that has begun.
   */
  settle(month: number, reservation: SpendReservation | undefined, microUsd: number): void {
    if (reservation !== undefined) this.#hold(reservation, -1);
    this.#change(month, (spent, current) => {
      const isBooked = reservation?.month === current;
      return spent + microUsd - (isBooked ? reservation.microUsd : 0);
    });
  }

  /** Takes back what a dead thread had reserved; its successor begins with nothing. */
  reclaim(thread: number): void {
    const at = heldAt(this.#at, thread);
    const high = this.#words.load(at + 1) >>> 0;
    const microUsd = (high % highRange) * lowRange + (this.#words.load(at) >>> 0);
    const month = high >>> spendHighBits;
    this.#words.store(at, 0);
    this.#words.store(at + 1, 0);
    if (microUsd > 0) this.settle(month, { month, microUsd }, 0);
  }

  /** Notes a reservation of this thread, or strikes it out. Those of a month that is over go with it. */
  #hold({ month, microUsd }: SpendReservation, sign: 1 | -1): void {
    const at = this.#heldAt;
    if (at === undefined) return;
    const high = this.#words.glance(at + 1) >>> 0;
    const before = high >>> spendHighBits;
    if (before > month) return;
    const held = (high % highRange) * lowRange + (this.#words.glance(at) >>> 0);
    const now = Math.max(0, (before === month ? held : 0) + sign * microUsd);
    this.#words.scribble(at, now | 0);
    this.#words.scribble(at + 1, (month * highRange + Math.floor(now / lowRange)) | 0);
  }

  /** The month that `next` was written on; undefined when there was nothing to write. */
  #change(
    month: number,
    next: (spent: number, month: number) => number | undefined,
  ): number | undefined {
    assert(month >= 0 && month < monthsMax, `month ${month} of a spend`);
    for (let failures = 0; ; failures++) {
      const high = this.#words.load(this.#at + 1) >>> 0;
      const low = this.#words.load(this.#at) >>> 0;
      const isOver = high >>> spendHighBits < month;
      const current = isOver ? month : high >>> spendHighBits;
      const spent = isOver ? 0 : (high % highRange) * lowRange + low;
      const wanted = next(spent, current);
      if (wanted === undefined) {
        // Halves that do not belong together may not refuse anybody.
        if (this.#words.load(this.#at + 1) >>> 0 === high) return undefined;
        continue;
      }
      if (this.#write(low, high, current, wanted)) return current;
      this.#words.pause(failures + 1);
    }
  }

  #write(low: number, high: number, month: number, microUsd: number): boolean {
    const spend = Math.min(Math.max(0, microUsd), monthSpendMax);
    const nextHigh = month * highRange + Math.floor(spend / lowRange);
    const at = this.#at;
    return this.#words.compareExchange64(at, low | 0, high | 0, spend | 0, nextHigh | 0) === 1;
  }
}
