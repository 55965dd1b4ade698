// The clock of one node, as wrong as the faults make it. It is told the true time and answers with
// what the node believes; a slow clock lags more and more, a stopped one stands still, and a wall
// clock may jump back. The monotonic reading never goes back, whatever happens to the wall clock.

/** Unix ms at the start of every world: 2027-01-15T08:00:00Z. */
export const epochMs = 1_800_000_000_000;

export class NodeClock {
  #sinceMs = 0;
  #shownMs = 0;
  #rate = 1;
  #wallShiftMs = 0;

  /** Milliseconds since the start as this node counts them. */
  monotonicMs(trueMs: number): number {
    return this.#shownMs + (trueMs - this.#sinceMs) * this.#rate;
  }

  /** Unix ms, whole, as this node believes. */
  wallMs(trueMs: number): number {
    return epochMs + Math.floor(this.monotonicMs(trueMs) + this.#wallShiftMs);
  }

  /** From now on it runs at `rate` times the true speed; 0 stops it. */
  run(trueMs: number, rate: number): void {
    this.#shownMs = this.monotonicMs(trueMs);
    this.#sinceMs = trueMs;
    this.#rate = rate;
  }

  jumpBack(ms: number): void {
    this.#wallShiftMs -= ms;
  }

  /** The right speed again, and the wall clock set to the true time. */
  repair(trueMs: number): void {
    this.run(trueMs, 1);
    this.#wallShiftMs = trueMs - this.#shownMs;
  }
}
