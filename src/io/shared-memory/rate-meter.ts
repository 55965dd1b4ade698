// How much of a limit per minute is used, in one 64-bit word that many threads change at once without
// a lock: the moment at which all of it will be free again, 0.1 us since an origin of the caller's.
//
// Whoever takes `n` of `l` per minute pushes that moment back by n/l minutes, and may do so while it
// stays within a minute of now: a token bucket of `l` tokens that fills up in a minute (platform
// specification D.5), told by the time at which it is full ("virtual scheduling" of the generic cell
// rate algorithm, ITU-T I.371 annex A). SharedTokenBucket holds tokens instead; here the limit may
// change while it is in use, what was taken for nothing comes back, what was used beyond it is owed,
// and how long somebody must wait can be read off.
//
//   R1  Within any interval is taken at most what a minute holds and what the interval adds.
//   R2  A refusal changes nothing, and says after how long the same would be granted.
//   R3  What is owed is paid off within a day at most.

import { assert } from '../../base/assert.ts';
import type { Words } from './words.ts';

/** Units of time in a millisecond. */
export const unitsPerMs = 10_000;
export const minuteUnits = 60_000 * unitsPerMs;
/** R3. */
const debtMaxUnits = 24 * 60 * minuteUnits;
const range = 2 ** 32;

/**
 * The time that `count` takes of a minute that holds `perMinute`: at least 1, at most a day. Rounded
 * down, so that a whole limit fits; of more than 24 000 one by one, as many more may fit as
 * perMinute / 6e8 of it come to.
 */
export function unitsOf(count: number, perMinute: number): number {
  if (count <= 0) return 0;
  const units = Math.floor((count / perMinute) * minuteUnits);
  return Math.min(Math.max(1, units), debtMaxUnits);
}

export class RateMeter {
  readonly #words: Words;
  readonly #at: number;

  /** Words that a meter takes, from an even one on; all 0 is a meter of which all is free. */
  static readonly words = 2;

  constructor(words: Words, at: number) {
    assert(at % 2 === 0, `a meter at word ${at}`);
    this.#words = words;
    this.#at = at;
  }

  /**
   * Takes `units`, at most a minute, if there are so many; 0 then, else the units of time after which
   * it would. `now`: units since the origin, below 2^52.
   */
  take(units: number, now: number): number {
    assert(units <= minuteUnits, `${units} units, more than a minute`);
    let wait = 0;
    this.#change((full) => {
      const next = Math.max(full, now) + units;
      wait = Math.max(0, next - minuteUnits - now);
      return wait === 0 ? next : undefined;
    });
    return wait;
  }

  /** Puts what was used in the place of what was taken for it, both in units. */
  settle(taken: number, used: number, now: number): void {
    const more = used - taken;
    if (more === 0) return;
    this.#change((full) =>
      more < 0
        ? Math.max(0, full + more)
        : Math.min(Math.max(full, now) + more, Math.max(full, now + debtMaxUnits)),
    );
  }

  /** All of it is free. */
  clear(): void {
    this.#change(() => 0);
  }

  /** Units until all of it is free, 0 or more; beyond a minute is owed. */
  used(now: number): number {
    const low = this.#at;
    for (;;) {
      const high = this.#words.load(low + 1) >>> 0;
      const rest = this.#words.load(low) >>> 0;
      // Both halves belong together when the upper one has not changed around the lower one.
      if (this.#words.load(low + 1) >>> 0 === high) return Math.max(0, high * range + rest - now);
    }
  }

  /** Whole ones that are left of `perMinute`, 0 or more. */
  left(perMinute: number, now: number): number {
    const free = Math.max(0, minuteUnits - this.used(now));
    return Math.floor((free / minuteUnits) * perMinute);
  }

  /** Undefined leaves the word alone. */
  #change(next: (full: number) => number | undefined): void {
    for (let failures = 1; ; failures++) {
      const high = this.#words.load(this.#at + 1) >>> 0;
      const low = this.#words.load(this.#at) >>> 0;
      const wanted = next(high * range + low);
      if (wanted === undefined) {
        // Halves that do not belong together may not refuse anybody.
        if (this.#words.load(this.#at + 1) >>> 0 === high) return;
        continue;
      }
      const nextHigh = Math.floor(wanted / range);
      if (this.#words.compareExchange64(this.#at, low | 0, high | 0, wanted | 0, nextHigh | 0)) {
        return;
      }
      this.#words.pause(failures);
    }
  }
}
