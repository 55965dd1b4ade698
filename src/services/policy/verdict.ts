// The first line about the serving mode, the same on the page, in the API and in the terminal: which
// mode, since when, why, and when it may be normal again. Times are UTC and say so.

import type { CalmReading } from '../../core/policy/ladder.ts';
import { type LadderState, type ModePin, modeInForce } from '../../core/policy/ladder-state.ts';
import { deescalate, type ServingMode } from '../../core/policy/serving-mode.ts';

type Verdict = { readonly words: string; readonly level: 'ok' | 'attention' | 'bad' };

export type VerdictReading = {
  readonly state: LadderState;
  /** Unix ms. */
  readonly now: number;
  readonly calm: CalmReading;
  /** Good ticks that a step down needs; null in normal. */
  readonly streakNeeded: number | null;
  readonly tickSeconds: number;
  readonly budgetLeft: number | null;
  readonly periodDays: number;
  /** `budget burns 7.1x over 6 h` for a pair that fires; undefined while none does. */
  readonly burning: string | undefined;
};

const dayMs = 86_400_000;

/** `11:58 UTC`; with its date when that is not within the last day. */
export function clockWords(at: number, now: number): string {
  const text = new Date(at).toISOString();
  const isNear = Math.abs(now - at) < dayMs;
  return `${isNear ? '' : `${text.slice(0, 10)} `}${text.slice(11, 16)} UTC`;
}

/** Seconds as people say them, rounded up: `40 s`, `2 min`, `3 h`. */
export function spanWords(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return seconds < 3600 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`;
}

function capital(mode: ServingMode): string {
  return mode.charAt(0).toUpperCase() + mode.slice(1);
}

/** What the way down waits for. */
function wayDown(reading: VerdictReading): string {
  const { state, calm, streakNeeded, tickSeconds, now } = reading;
  const next = capital(deescalate(state.mode));
  if (state.noDataSince !== null) {
    return `No request since ${clockWords(state.noDataSince, now)}, so the level stays.`;
  }
  const ticksLeft = Math.max(0, (streakNeeded ?? 0) - state.runs.successStreak);
  const seconds = Math.max(ticksLeft * tickSeconds, calm.holdLeftMs / 1000);
  if (seconds > 0) return `${next} again in >= ${spanWords(seconds)} if calm.`;
  if (!calm.burnRecovered)
    return `${next} again once the budget burns at less than half of the alarm's pace.`;
  return `${next} again once enough requests went well.`;
}

function pinWords(pin: ModePin, state: LadderState, now: number): string {
  const until = pin.until === null ? 'until it is lifted' : `until ${clockWords(pin.until, now)}`;
  const reason = pin.reason.replace(/[.\s]+$/, '');
  return `Mode ${pin.mode} pinned by ${pin.by} ${until}: ${reason}. The ladder itself holds ${state.mode}.`;
}

function normalVerdict(reading: VerdictReading): Verdict {
  const { state, now, budgetLeft, periodDays, burning } = reading;
  const since = `Mode normal since ${clockWords(state.since, now)}`;
  if (burning !== undefined) return { words: `${since}; ${burning}.`, level: 'attention' };
  if (state.noDataSince !== null) {
    const words = `${since}. No request since ${clockWords(state.noDataSince, now)}.`;
    return { words, level: 'attention' };
  }
  if (budgetLeft === null) return { words: `${since}. No request yet.`, level: 'attention' };
  const left = `${Number((100 * budgetLeft).toFixed(1))} % of the ${periodDays} d error budget left`;
  return { words: `${since}. ${left}.`, level: budgetLeft > 0 ? 'ok' : 'attention' };
}

export function verdictOf(reading: VerdictReading): Verdict {
  const { state, now } = reading;
  const { pin } = state;
  const level = modeInForce(state) === 'halted' ? 'bad' : 'attention';
  if (pin !== null) return { words: pinWords(pin, state, now), level };
  if (state.mode === 'normal') return normalVerdict(reading);
  const cause = state.cause === '' ? '' : `: ${state.cause}`;
  const since = `Mode ${state.mode} since ${clockWords(state.since, now)}${cause}.`;
  return { words: `${since} ${wayDown(reading)}`, level };
}
