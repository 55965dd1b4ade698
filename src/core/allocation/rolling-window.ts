// Entries that stay active for a window of time and are then handed back, once. A row of the
// platform specification A.5.
//
//   W1  An entry is active while its time is at least max(0, now - window), the edge included.
//   W2  An entry leaves by exactly one flush, in the order of submission.
//   W3  At most `entriesMax` entries are held; a submission beyond that is refused.

import { assert } from '../../base/assert.ts';
import { saturatingDifference } from '../../base/numbers.ts';

export type WindowEntry = { readonly timestamp: number; readonly id: string };

export class RollingWindowScheduler {
  /** The cap of W3. */
  static readonly entriesMax = 100_000;

  readonly window: number;
  #entries: WindowEntry[] = [];

  /** `windowSeconds` is finite and not negative; all times are in seconds. */
  constructor(windowSeconds: number) {
    assert(Number.isFinite(windowSeconds) && windowSeconds >= 0, `window of ${windowSeconds} s`);
    this.window = windowSeconds;
  }

  get count(): number {
    return this.#entries.length;
  }

  /**
   * False, and nothing kept, for a time that is not finite (it would never leave) and at the cap.
   */
  submit(timestamp: number, id: string): boolean {
    if (!Number.isFinite(timestamp)) return false;
    if (this.#entries.length >= RollingWindowScheduler.entriesMax) return false;
    this.#entries.push(Object.freeze({ timestamp, id }));
    return true;
  }

  /** Removes and returns the entries older than max(0, now - window), in order of submission. */
  flush(now: number): readonly WindowEntry[] {
    const edge = saturatingDifference(now, this.window);
    const expired = this.#entries.filter(({ timestamp }) => timestamp < edge);
    if (expired.length > 0) {
      this.#entries = this.#entries.filter(({ timestamp }) => timestamp >= edge);
    }
    return expired;
  }
}
