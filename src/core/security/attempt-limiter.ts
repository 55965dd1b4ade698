// Slows down guessing: of one client (address block and path class) five rejected credentials are
// answered within a minute, then it hears 429 until the oldest of them is a minute old.
//
// On the data plane it is asked after the cheap key check, with a rejected credential only, so a
// valid key passes from a noisy address; for a login it is asked before the costly hash (R11).
// Refused attempts are not counted: the wait that was told stays true however often one asks.
//
// L1: an entry holds at most `rejectionsMax` instants, oldest first.
// L2: at most `capacity` entries; the one that was written longest ago goes first.

import { BoundedMap } from '../../base/bounded-map.ts';
import { elapsedMs, type Instant } from '../../base/time.ts';

export type AttemptLimits = {
  readonly rejectionsMax: number;
  readonly windowMs: number;
  /** Clients remembered at once. */
  readonly capacity: number;
};

export const defaultAttemptLimits: AttemptLimits = {
  rejectionsMax: 5,
  windowMs: 60_000,
  capacity: 16_384,
};

export class AttemptLimiter {
  readonly #limits: AttemptLimits;
  readonly #rejections: BoundedMap<string, readonly Instant[]>;

  constructor(limits: AttemptLimits = defaultAttemptLimits) {
    this.#limits = limits;
    this.#rejections = new BoundedMap(limits.capacity);
  }

  #recent(key: string, now: Instant): readonly Instant[] {
    const all = this.#rejections.get(key) ?? [];
    return all.filter((at) => elapsedMs(at, now) < this.#limits.windowMs);
  }

  /** Whole seconds, at least 1, until this client is heard again; undefined when it is heard now. */
  retryAfterSeconds(key: string, now: Instant): number | undefined {
    const recent = this.#recent(key, now);
    const [oldest] = recent;
    if (oldest === undefined || recent.length < this.#limits.rejectionsMax) return undefined;
    return Math.max(1, Math.ceil((this.#limits.windowMs - elapsedMs(oldest, now)) / 1000));
  }

  /**
   * Takes notice of a rejected credential. Undefined: answer 401. A number: answer 429 with this
   * `retry-after` in seconds.
   */
  onRejected(key: string, now: Instant): number | undefined {
    const wait = this.retryAfterSeconds(key, now);
    if (wait === undefined) this.#rejections.set(key, [...this.#recent(key, now), now]);
    return wait;
  }

  /** Clients remembered now. */
  get size(): number {
    return this.#rejections.size;
  }
}
