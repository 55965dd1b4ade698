// First tokens of interactive streams between two judgements of the batch lane: collected until there
// are enough of them, so that one slow prompt is not taken for pressure.

import { LogSketch } from '../statistics/log-sketch.ts';
import { countOf, type PlainSketch } from '../statistics/sketch-plain.ts';
import type { FirstTokens } from './batch-lane.ts';

/** A judgement wants so many first tokens, or fewer after so long. */
const enough = 8;
const patienceMs = 2000;
/** So long after the last of them somebody may still be waiting for another. */
const lingersMs = 10_000;

export class FirstTokenWindow {
  readonly #sketch = new LogSketch();
  #sinceMs = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** Adds what was seen until `nowMs`. */
  add(seen: PlainSketch, nowMs: number): void {
    if (countOf(seen) === 0) return;
    if (this.#sketch.count === 0) this.#sinceMs = nowMs;
    this.#lastMs = nowMs;
    this.#sketch.addPlain(seen);
  }

  /** Has there been any lately? */
  isUsed(nowMs: number): boolean {
    return nowMs - this.#lastMs < lingersMs;
  }

  /** What a judgement may go by, which then begins anew; undefined while it is too little. */
  take(nowMs: number): FirstTokens | undefined {
    const { count } = this.#sketch;
    const isRipe = count >= enough || nowMs - this.#sinceMs >= patienceMs;
    if (count === 0 || !isRipe) return undefined;
    const p75Ms = this.#sketch.quantile(0.75);
    this.#sketch.clear();
    return { count, p75Ms };
  }
}
