// What one evaluation tick says about the fleet: was it bad, is there an alarm that counts as a whole
// burst, how great is the risk. Ruling 24 of the overview and F.2 of the platform specification.
//
//   E1  A tick without a bad outcome and without a trip never speaks for an escalation, whatever the
//       long windows, the risk and the fleet look like: an old incident does not escalate a calm
//       fleet, and no news freezes the level.
//
// A circuit breaker that opens is a trip, as is a backend whose health checks fail; while the breaker of
// a backend is open, the backend does not count as routable.

import { compositeAvailability } from '../jobs/availability.ts';
import { type BurnReading, burnOfShare } from './burn-rate.ts';
import type { LadderSettings } from './ladder-settings.ts';
import { type LadderState, modeInForce } from './ladder-state.ts';
import { aggregateRisk, escalationNeeded } from './risk.ts';
import type { TickVerdict } from './tick-runs.ts';

/** What is read besides outcomes, also to show the risk of the moment. */
export type FleetReading = {
  /** Approved backends, and those of them that take requests. */
  readonly backends: { readonly known: number; readonly routable: number };
  /** Share of the gateway threads that serve, 0 to 1. */
  readonly gateway: number;
  readonly databaseThere: boolean;
  readonly burn: readonly BurnReading[];
};

/** Everything that one evaluation reads besides settings and state. */
export type LadderTick = FleetReading & {
  /** Unix ms, whole. */
  readonly at: number;
  /** Time since the start of the program, ms. */
  readonly uptimeMs: number;
  /**
   * Requests that ended since the last tick: all, those that failed (5xx that reached a client), and
   * those that were answered but later than the objective. What the mode refused is in none of them.
   */
  readonly outcomes: {
    readonly requests: number;
    readonly failures: number;
    readonly slow: number;
  };
  readonly probes: { readonly good: number; readonly failed: number };
  /** Ids of backends that stopped taking requests by themselves since the last tick. */
  readonly trips: readonly string[];
};

/** Failures and requests outside the objective: the failures of ruling 24. */
export function badOutcomes({ outcomes }: LadderTick): number {
  return outcomes.failures + outcomes.slow;
}

/** Bad outcomes from which on a tick can be bad. */
const badOutcomesMin = 2;

/**
 * Mean of two risks: that the objective is missed (severity 1, probability the burn of the short
 * fast window over its factor, at most 1), and that the way of a request is broken (severity 1,
 * probability 1 less the availability of gateway, database and fleet in a row, RP6). A fleet
 * without a backend promises nothing and is no risk.
 */
export function riskOf(reading: FleetReading): number {
  const fast = reading.burn[0];
  const burning = fast === undefined ? 0 : Math.min(1, (fast.shortBurn ?? 0) / fast.factor);
  const { known, routable } = reading.backends;
  const fleet = known === 0 ? 1 : routable / known;
  const database = reading.databaseThere ? 1 : 0;
  const available = compositeAvailability(compositeAvailability(reading.gateway, database), fleet);
  return aggregateRisk([
    [1, burning],
    [1, 1 - available],
  ]);
}

/** Words of a span of minutes: `30 min`, `6 h`, `3 d`. */
export function minutesWords(minutes: number): string {
  if (minutes % 1440 === 0) return `${minutes / 1440} d`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`;
}

/** The pair that moves the mode, fires, and at whose pace this very tick burns. */
function burningPair({ slo }: LadderSettings, tick: LadderTick): BurnReading | undefined {
  const bad = badOutcomes(tick);
  if (bad < badOutcomesMin) return undefined;
  const ownBurn = burnOfShare(bad / Math.max(tick.outcomes.requests, bad), slo.objective);
  return tick.burn.find(({ moves, firing, factor }) => moves && firing && ownBurn >= factor);
}

export type Alarm = {
  readonly cause: string;
  /** Grave enough to lead past `watch` without a look at the share of failures. */
  readonly isGrave: boolean;
};

/** What makes this tick count as a burst at once; undefined for nothing. */
export function alarmOf(settings: LadderSettings, tick: LadderTick): Alarm | undefined {
  if (badOutcomes(tick) === 0 && tick.trips.length === 0) return undefined;
  const { known, routable } = tick.backends;
  if (known > 0 && routable === 0) return { cause: 'no backend takes requests', isGrave: true };
  const risk = riskOf(tick);
  const isRisky = escalationNeeded(risk, settings.riskThreshold);
  const pair = burningPair(settings, tick);
  if (pair !== undefined) {
    const burn = (pair.longBurn ?? 0).toFixed(1);
    const cause = `budget burns ${burn}x over ${minutesWords(pair.longMinutes)}`;
    return { cause, isGrave: isRisky };
  }
  if (!isRisky) return undefined;
  return { cause: `risk ${risk.toFixed(2)} is above ${settings.riskThreshold}`, isGrave: true };
}

function isFailing(settings: LadderSettings, tick: LadderTick): boolean {
  const bad = badOutcomes(tick);
  if (bad < badOutcomesMin) return false;
  return escalationNeeded(bad / Math.max(tick.outcomes.requests, bad), settings.failureShare);
}

/** Words for why a tick was bad. */
export function badTickWords(settings: LadderSettings, tick: LadderTick): string {
  if (!isFailing(settings, tick)) return `backends went down: ${tick.trips.join(', ')}`;
  const { requests, failures, slow } = tick.outcomes;
  const share = ((100 * (failures + slow)) / Math.max(requests, failures + slow)).toFixed(1);
  const limit = Number((100 * settings.failureShare).toFixed(3));
  return `${failures + slow} of ${requests} requests failed or were late (${share} %, limit ${limit} %)`;
}

/** What a tick told: its verdict, and the outcomes that stand for it. */
export type TickWord = {
  readonly verdict: TickVerdict;
  readonly outcomes: number;
  readonly bad: number;
};

const silence: TickWord = { verdict: 'empty', outcomes: 0, bad: 0 };

/**
 * In `halted` hardly a request comes in, so health probes stand in where there is none: a success
 * while some backend takes requests is a good tick; a failure only where none does is a bad one.
 * A backend that is dead for good thus does not hold the others back.
 */
function probeWord({ probes, backends }: LadderTick): TickWord {
  if (probes.good > 0 && backends.routable > 0) {
    return { verdict: 'good', outcomes: probes.good, bad: 0 };
  }
  if (probes.failed === 0 || backends.routable > 0) return silence;
  return { verdict: 'bad', outcomes: probes.failed, bad: probes.failed };
}

/** The verdict of ruling 24; an alarm makes any tick bad. */
export function hearTick(
  settings: LadderSettings,
  state: LadderState,
  tick: LadderTick,
  alarm: Alarm | undefined,
): TickWord {
  const bad = badOutcomes(tick);
  const outcomes = Math.max(tick.outcomes.requests, bad);
  if (alarm !== undefined || tick.trips.length > 0 || isFailing(settings, tick)) {
    return { verdict: 'bad', outcomes, bad };
  }
  if (outcomes > 0) return { verdict: 'good', outcomes, bad };
  return modeInForce(state) === 'halted' ? probeWord(tick) : silence;
}
