// A limiter that lets bursts through: tokens drip in at a steady rate up to a capacity, each request
// takes some (platform specification A.9). Whoever asks brings the time; the bucket has no clock.
//
//   I1  0 <= available <= capacity.
//   I2  the mark, the time of the last refill, never goes back: a clock that does adds nothing.
//   I3  what is granted within any interval is at most capacity + rate x interval.

import { assert } from '../../base/assert.ts';
import { isCount } from '../../base/numbers.ts';

export class TokenBucket {
  readonly #capacity: number;
  readonly #rate: number;
  #tokens: number;
  #mark = 0;

  /**
   * Starts full, with the last refill at 0. `refillRate` is in tokens per unit of `now`, and the
   * caller chooses that unit; both numbers are finite and not negative.
   */
  constructor(capacity: number, refillRate: number) {
    for (const [name, value] of Object.entries({ capacity, refillRate })) {
      assert(Number.isFinite(value) && value >= 0, `the ${name} of a token bucket is ${value}`);
    }
    this.#capacity = capacity;
    this.#rate = refillRate;
    this.#tokens = capacity;
  }

  /** Refills, then takes one token. False when there is none, or when `now` is not finite. */
  tryAcquire(now: number): boolean {
    return this.tryAcquireBatch(1, now);
  }

  /**
   * Refills, then takes `count` tokens, all or none. Taking 0 succeeds. False when there are fewer,
   * when `count` is not a whole number from 0 on, or when `now` is not finite.
   */
  tryAcquireBatch(count: number, now: number): boolean {
    if (!Number.isFinite(now)) return false;
    this.refill(now);
    if (!isCount(count) || this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /** Adds what has dripped in since the last refill. */
  refill(now: number): void {
    if (!Number.isFinite(now) || now <= this.#mark) return;
    const dripped = (now - this.#mark) * this.#rate;
    this.#tokens = Math.min(this.#capacity, this.#tokens + dripped);
    this.#mark = now;
  }

  /** Tokens as of the last refill, fractions included. */
  available(): number {
    return this.#tokens;
  }
}
