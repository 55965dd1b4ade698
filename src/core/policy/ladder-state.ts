// What the serving-mode ladder knows between two evaluations, small enough to be stored and recorded
// with each of them, and the pin of an operator that lies over it. Plain data, without methods, since
// it goes to PostgreSQL and into the decision log and comes back from both.

import type { ServingMode } from './serving-mode.ts';
import { noRuns, type TickRuns } from './tick-runs.ts';

/** An operator holds a mode in force, whatever the ladder says. */
export type ModePin = {
  readonly mode: ServingMode;
  /** `user:ana`, `key:key_...`. */
  readonly by: string;
  readonly reason: string;
  /** Unix ms. */
  readonly since: number;
  /** Unix ms from which on it is void; null until somebody lifts it. */
  readonly until: number | null;
};

export type LadderState = {
  /** The mode that the ladder holds; under a pin it is not in force. */
  readonly mode: ServingMode;
  /** When the mode began, Unix ms. */
  readonly since: number;
  /** When the mode last changed, Unix ms; null for one that never did, which has no cooldown. */
  readonly lastChange: number | null;
  /** Why the mode is what it is, in words for people; empty at the start. */
  readonly cause: string;
  readonly runs: TickRuns;
  /**
   * Outcomes and bad ones among them of the newest ticks that had any, oldest first, at most
   * {@link recentTicksMax}, none from before the last change.
   */
  readonly recent: readonly (readonly [outcomes: number, bad: number])[];
  /** Outcomes of the good ticks in a row, none from before the last change. */
  readonly calm: { readonly outcomes: number; readonly bad: number };
  /** Ticks since the last change that the cooldown kept from escalating. */
  readonly suppressed: number;
  /** Since when no tick told anything, Unix ms; null while they do. */
  readonly noDataSince: number | null;
  readonly pin: ModePin | null;
};

/** Ticks by which it is judged whether failures are clearly above the limit. */
export const recentTicksMax = 10;

export const noCalm: LadderState['calm'] = { outcomes: 0, bad: 0 };

export function initialLadder(at: number, mode: ServingMode = 'normal'): LadderState {
  return {
    mode,
    since: at,
    lastChange: null,
    cause: '',
    runs: noRuns,
    recent: [],
    calm: noCalm,
    suppressed: 0,
    noDataSince: null,
    pin: null,
  };
}

/** The mode that gates requests: the pinned one, else that of the ladder. */
export function modeInForce(state: LadderState): ServingMode {
  return state.pin?.mode ?? state.mode;
}

/** Has the pin run out at `at`? */
export function isPinOver(state: LadderState, at: number): boolean {
  const until = state.pin?.until ?? null;
  return until !== null && at >= until;
}

/** The state after the mode moved at `at`; the runs are what the move left of them. */
export function movedTo(
  state: LadderState,
  mode: ServingMode,
  at: number,
  cause: string,
  runs: TickRuns,
): LadderState {
  const begun = { recent: [], calm: noCalm, suppressed: 0 };
  return { ...state, mode, since: at, lastChange: at, cause, runs, ...begun };
}
