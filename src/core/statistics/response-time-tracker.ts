// Percentiles of the newest response times. Up to 4096 samples they are exact; a larger window is
// kept as sketches (platform specification D.3): any percentile is then within 0.5 % of the exact
// one of the samples held, and those are the newest `window` less at most one sixteenth, see
// paned-window.ts. Memory is 8 bytes for each sample below, at most 500 KiB above.

import { assert } from '../../base/assert.ts';
import { isCount } from '../../base/numbers.ts';
import { ExactWindow } from './exact-window.ts';
import { PanedWindow } from './paned-window.ts';

/** The largest window that is kept exactly. */
export const exactWindowMax = 4096;

/**
 * A recorder of the newest `window` samples; above {@link exactWindowMax} of the newest 15/16 to
 * 16/16 of `window`, moving on by 1/16. Drops samples that are not finite and counts the drops.
 */
export class ResponseTimeTracker {
  readonly #window: ExactWindow | PanedWindow;
  #dropped = 0;

  /** Keeps the last `window` samples, at least 1. */
  constructor(window: number) {
    assert(isCount(window) && window > 0, `a window of ${window} response times`);
    this.#window = window <= exactWindowMax ? new ExactWindow(window) : new PanedWindow(window);
  }

  /** How many samples the percentiles are of. */
  get count(): number {
    return this.#window.count;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** One response time; any unit, also fractions of it. */
  add(value: number): void {
    if (Number.isFinite(value)) this.#window.add(value);
    else this.#dropped += 1;
  }

  /** Nearest rank, `pct` in 0..100; without a sample 0. */
  percentile(pct: number): number {
    return this.#window.percentile(pct);
  }

  p50(): number {
    return this.percentile(50);
  }

  p95(): number {
    return this.percentile(95);
  }

  p99(): number {
    return this.percentile(99);
  }
}
