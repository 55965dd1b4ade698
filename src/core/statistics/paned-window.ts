// The newest samples of a large window as 16 sketches of one part each, because no exact sliding
// quantile fits a memory that does not grow with the window. The window moves by whole panes:
//
//     | pane | pane | ...  | pane | filling |        when the last is full, the oldest is cleared
//       oldest                                       and becomes the one to fill
//
// so it holds between 15/16 and 16/16 of `window`, rounded up to whole panes, and once moves on
// forgets window / 16 samples at a time.

import { present } from '../../base/assert.ts';
import { LogSketch } from './log-sketch.ts';

export const paneCount = 16;

export class PanedWindow {
  readonly #paneLength: number;
  readonly #panes = Array.from({ length: paneCount }, () => new LogSketch());
  /** All panes together, where `isWholeStale` does not say otherwise. */
  readonly #whole = new LogSketch();
  #isWholeStale = false;
  #filling = 0;
  #pane: LogSketch;

  constructor(window: number) {
    this.#paneLength = Math.ceil(window / paneCount);
    this.#pane = this.#paneAt(0);
  }

  get count(): number {
    return this.#panes.reduce((sum, pane) => sum + pane.count, 0);
  }

  /** `value` is finite. */
  add(value: number): void {
    if (this.#pane.count === this.#paneLength) this.#turn();
    this.#pane.add(value);
    this.#isWholeStale = true;
  }

  #turn(): void {
    this.#filling = (this.#filling + 1) % paneCount;
    this.#pane = this.#paneAt(this.#filling);
    this.#pane.clear();
  }

  #paneAt(at: number): LogSketch {
    return present(this.#panes[at], `pane ${at}`);
  }

  percentile(pct: number): number {
    if (this.#isWholeStale) {
      this.#whole.clear();
      for (const pane of this.#panes) this.#whole.merge(pane);
      this.#isWholeStale = false;
    }
    return this.#whole.quantile(pct / 100);
  }
}
