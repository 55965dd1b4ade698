// The serving mode as it stands, with the story of how it came about. The engine moves; whether it
// should is decided by whoever calls (burst, streak, cooldown). Rows of the specification A.8.
//
//   I1  The mode starts at `normal` and moves one step at a time (RP1).
//   I2  Each real change adds one entry, whose `from` is the `to` of the one before; what changes
//       nothing adds none.
//   I3  The same calls give the same history (RP7).
//
// The history grows by one entry for each change and is meant for the present life of a mode.
// `reset` clears it, so the copy that auditors read is kept elsewhere, as events.

import { deescalate, escalate, type ServingMode } from './serving-mode.ts';

export type ModeChange = {
  readonly from: ServingMode;
  readonly to: ServingMode;
  readonly reason: string;
};

export class PolicyEngine {
  #current: ServingMode = 'normal';
  #history: ModeChange[] = [];

  get current(): ServingMode {
    return this.#current;
  }

  /** One step stricter for a burst at the threshold; returns the mode after it. */
  escalate(failureBurst: number): ServingMode {
    const to = escalate(this.#current, failureBurst);
    return this.#move(to, `escalation: ${failureBurst} failures`);
  }

  /** One step milder; returns the mode after it. */
  deescalate(): ServingMode {
    return this.#move(deescalate(this.#current), 'deescalation: conditions improved');
  }

  /** The changes since the start or the last reset, oldest first. */
  history(): readonly ModeChange[] {
    return [...this.#history];
  }

  /** Back to `normal`, with an empty history. */
  reset(): void {
    this.#current = 'normal';
    this.#history = [];
  }

  #move(to: ServingMode, reason: string): ServingMode {
    const from = this.#current;
    if (to !== from) {
      this.#current = to;
      this.#history.push(Object.freeze({ from, to, reason }));
    }
    return to;
  }
}
