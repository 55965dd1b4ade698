// The serving-mode ladder: one evaluation every ten seconds or so decides whether the mode moves by one
// step. F.2 of the platform specification with rulings 24 and 25 of the overview; each evaluation is
// a function of settings, state and tick, is recorded, and can be made again (RP7).
//
//             bad ticks in a row >= 2, or one alarm           good ticks in a row >= 5, 7, 10
//             and the cooldown is over                        and held, recovered, enough outcomes
//   normal ──────────────> watch ──────────────> restricted ──────────────> halted
//          <──────────────       <──────────────            <──────────────
//
//   L1  The mode moves one step at a time and never wraps (RP1).
//   L2  Only a tick with a bad outcome or a trip of its own escalates; an empty tick changes nothing.
//   L3  An escalation inside the cooldown is suppressed and counted; it is told once for each rest of
//       the mode. A step down knows no cooldown (RP3).
//   L4  After an escalation the good streak restarts, after a step down the bad burst (RP4).
//   L5  Past `watch` leads only what is clearly worse than the limit: a grave alarm, or a share of
//       failures that noise at the limit does not reach. So noise at a threshold costs one move.
//   L6  Recovery has thresholds of its own, half of those that escalate, so that nothing swings.
//   L7  Without the database nothing steps down: a step down is written before it is acted on.

import { saturatingDifference } from '../../base/numbers.ts';
import type { BurnReading } from './burn-rate.ts';
import { effectiveCooldown, judgeEscalation } from './cooldown.ts';
import type { LadderSettings } from './ladder-settings.ts';
import { type LadderState, movedTo, noCalm, recentTicksMax } from './ladder-state.ts';
import { withinGrace } from './risk.ts';
import { burstThreshold, deescalate, mayDeescalate, type ServingMode } from './serving-mode.ts';
import {
  type Alarm,
  alarmOf,
  badTickWords,
  hearTick,
  type LadderTick,
  riskOf,
  type TickWord,
} from './tick-evidence.ts';
import { countTick, noRuns, runsAfterDeescalation, runsAfterEscalation } from './tick-runs.ts';

type Move = {
  readonly from: ServingMode;
  readonly to: ServingMode;
  readonly reason: string;
  readonly evidence: Evidence;
};

/** What an evaluation read, for the event of what it did. */
export type Evidence = {
  readonly cause: string;
  readonly burst: number;
  readonly streak: number;
  readonly risk: number;
};

export type LadderEffect =
  | ({ readonly kind: 'mode_escalated' } & Move)
  | ({ readonly kind: 'mode_deescalated' } & Move)
  | {
      readonly kind: 'mode_escalation_suppressed';
      readonly mode: ServingMode;
      readonly cooldownLeftMs: number;
      readonly evidence: Evidence;
    };

export type LadderStep = { readonly state: LadderState; readonly effects: readonly LadderEffect[] };

/** Share of a threshold below which a figure has recovered (L6). */
const recoveryShare = 0.5;
/** Outcomes of the good streak that a step down needs: a few single requests show nothing. */
const calmOutcomesMin = 10;
/** Standard deviations between noise at the limit and what is clearly above it (L5). */
const clearlyAbove = 5;
/** Standard deviations between half of the limit and what is clearly below it (L6). */
const clearlyBelow = 2.5;
/** Good ticks in a row without a single bad outcome that are recovery in the thinnest traffic. */
const spotlessStreak = 50;
/** Expected bad outcomes at half of the limit from which on older ones of a streak are forgotten. */
const calmExpectedMax = 50;

/**
 * Did clearly more of the newest outcomes fail than a share right at the limit would make fail?
 * Five standard deviations of the binomial distribution: once in millions of evaluations by chance.
 */
function isClearlyFailing({ failureShare }: LadderSettings, state: LadderState): boolean {
  let outcomes = 0;
  let bad = 0;
  for (const [tickOutcomes, tickBad] of state.recent) {
    outcomes += tickOutcomes;
    bad += tickBad;
  }
  const deviation = Math.sqrt(outcomes * failureShare * (1 - failureShare));
  return bad - outcomes * failureShare > clearlyAbove * deviation;
}

/** What a step down waits for. */
export type CalmReading = {
  readonly holdLeftMs: number;
  /** Have the burn rates of the moving pairs come down to half of their factors? */
  readonly burnRecovered: boolean;
  /** Has the share of bad outcomes in the streak come down, over enough of them? */
  readonly outcomesRecovered: boolean;
};

/** A pair can only fire with both windows; it has recovered when one of them is far from its factor. */
function hasRecovered({ factor, longBurn, shortBurn }: BurnReading): boolean {
  return Math.min(longBurn ?? 0, shortBurn ?? 0) < factor * recoveryShare;
}

/**
 * Are the outcomes of the streak those of a fleet that has recovered? Out of `watch` the mode comes
 * back by a burst of two ticks, which noise at the limit brings now and then, and its good streaks
 * look better than it is; so the share must be clearly below half of the limit: at 5 %, 250 outcomes
 * without a bad one. In the stricter modes only clear failures lead back (L5), and few do.
 */
function outcomesRecovered({ failureShare }: LadderSettings, state: LadderState): boolean {
  const { outcomes, bad } = state.calm;
  const expected = outcomes * failureShare * recoveryShare;
  if (state.mode !== 'watch') return outcomes >= calmOutcomesMin && bad <= expected;
  if (bad === 0 && state.runs.successStreak >= spotlessStreak) return true;
  return expected - bad >= clearlyBelow * Math.sqrt(expected);
}

/**
 * What still stands between the mode and one step down. Out of `restricted` and `halted` only the
 * fast pair is asked: burn alone never led there (L5), and half an hour of refusals is no cure.
 */
export function readCalm(
  settings: LadderSettings,
  state: LadderState,
  burn: readonly BurnReading[],
  at: number,
): CalmReading {
  const moving = burn.filter(({ moves }) => moves);
  const asked = state.mode === 'watch' ? moving : moving.slice(0, 1);
  return {
    holdLeftMs: Math.max(0, settings.holdMs - saturatingDifference(at, state.since)),
    burnRecovered: asked.every(hasRecovered),
    outcomesRecovered: outcomesRecovered(settings, state),
  };
}

function evidenceOf(state: LadderState, tick: LadderTick, cause: string): Evidence {
  const { failureBurst, successStreak } = state.runs;
  return { cause, burst: failureBurst, streak: successStreak, risk: riskOf(tick) };
}

function stepUp(
  settings: LadderSettings,
  state: LadderState,
  tick: LadderTick,
  alarm: Alarm | undefined,
): LadderStep {
  const { mode, runs, suppressed } = state;
  const mayPassWatch = alarm?.isGrave === true || isClearlyFailing(settings, state);
  if (mode !== 'normal' && !mayPassWatch) return { state, effects: [] };
  const cooldown = effectiveCooldown(mode, settings.minCooldownMs);
  const lastChange = state.lastChange ?? Number.NEGATIVE_INFINITY;
  const judged = judgeEscalation(mode, runs.failureBurst, lastChange, tick.at, cooldown);
  if (judged.kind === 'unmoved') return { state, effects: [] };
  const cause = alarm?.cause ?? badTickWords(settings, tick);
  const evidence = evidenceOf(state, tick, cause);
  if (judged.kind === 'suppressed') {
    const { cooldownLeft: cooldownLeftMs } = judged;
    const kind = 'mode_escalation_suppressed';
    const told = suppressed > 0 ? [] : [{ kind, mode, cooldownLeftMs, evidence } as const];
    return { state: { ...state, suppressed: suppressed + 1 }, effects: told };
  }
  const { to } = judged;
  const reason = `escalation: ${runs.failureBurst} failures`;
  return {
    state: movedTo(state, to, tick.at, cause, runsAfterEscalation(runs)),
    effects: [{ kind: 'mode_escalated', from: mode, to, reason, evidence }],
  };
}

function stepDown(settings: LadderSettings, state: LadderState, tick: LadderTick): LadderStep {
  const { mode, runs } = state;
  const stay: LadderStep = { state, effects: [] };
  if (!tick.databaseThere || !mayDeescalate(runs.successStreak, mode)) return stay;
  const calm = readCalm(settings, state, tick.burn, tick.at);
  if (calm.holdLeftMs > 0 || !calm.burnRecovered || !calm.outcomesRecovered) return stay;
  const to = deescalate(mode);
  const cause = `calm for ${runs.successStreak} evaluations`;
  const evidence = evidenceOf(state, tick, cause);
  const reason = 'deescalation: conditions improved';
  return {
    state: movedTo(state, to, tick.at, cause, runsAfterDeescalation(runs)),
    effects: [{ kind: 'mode_deescalated', from: mode, to, reason, evidence }],
  };
}

/** A clock that was set back: what seems to lie in the future counts from now on. */
function withClock(state: LadderState, at: number): LadderState {
  if (state.since <= at) return state;
  return { ...state, since: at, lastChange: state.lastChange === null ? null : at };
}

/** The outcomes of the good ticks in a row; the older half is forgotten where they are many. */
function calmAfter({ failureShare }: LadderSettings, { calm }: LadderState, word: TickWord) {
  if (word.verdict === 'bad') return noCalm;
  const outcomes = calm.outcomes + word.outcomes;
  const bad = calm.bad + word.bad;
  if (outcomes * failureShare * recoveryShare <= calmExpectedMax) return { outcomes, bad };
  return { outcomes: Math.ceil(outcomes / 2), bad: Math.ceil(bad / 2) };
}

/** The state with what a tick told that was not empty. */
function noted(
  settings: LadderSettings,
  state: LadderState,
  word: TickWord,
  alarm: Alarm | undefined,
  isGrace: boolean,
): LadderState {
  const counted = countTick(state.runs, word.verdict);
  const failureBurst =
    alarm === undefined ? counted.failureBurst : Math.max(burstThreshold, counted.failureBurst);
  // In the grace period a bad tick ends a calm streak and begins nothing.
  const runs = isGrace && word.verdict === 'bad' ? noRuns : { ...counted, failureBurst };
  const told = word.outcomes > 0 ? [[word.outcomes, word.bad] as const] : [];
  const recent = [...state.recent, ...told].slice(-recentTicksMax);
  return { ...state, runs, recent, calm: calmAfter(settings, state, word), noDataSince: null };
}

/**
 * One evaluation. The same settings, state and tick give the same step, on any machine, in any year.
 * A pin plays no part but for what it lets in: the ladder goes on below it.
 */
export function stepLadder(
  settings: LadderSettings,
  before: LadderState,
  tick: LadderTick,
): LadderStep {
  const isGrace = withinGrace(tick.uptimeMs, settings.graceMs);
  const alarm = alarmOf(settings, tick);
  const word = hearTick(settings, before, tick, alarm);
  const clocked = withClock(before, tick.at);
  if (word.verdict === 'empty') {
    return { state: { ...clocked, noDataSince: clocked.noDataSince ?? tick.at }, effects: [] };
  }
  const state = noted(settings, clocked, word, alarm, isGrace);
  if (word.verdict === 'good') return stepDown(settings, state, tick);
  return isGrace ? { state, effects: [] } : stepUp(settings, state, tick, alarm);
}
