// How fast the error budget burns: the share of bad requests in a window over the share that the
// objective allows. 1 spends the budget in exactly its period. A pair of windows fires when both burn
// at its factor: the long one says that it matters, the short one that it still goes on.
//
//   pair     factor   long    short    of the budget of 30 d    what for
//   fast      14.4     1 h    5 min     2 % in 1 h              moves the serving mode
//   slow       6       6 h   30 min     5 % in 6 h              moves the serving mode
//   ticket     1       3 d    6 h      10 % in 3 d              is told only
//
// Factors and windows: Google, The Site Reliability Workbook, chapter 5, table 5-8. The same chapter
// warns of low traffic, where one failure is a high rate: a window below a least number of requests
// has no rate at all, and one below a least number of bad ones does not fire.
//
// Counts are kept per minute. A window ends with the present minute, as far as that has come, and so
// reaches up to one minute further back than its name says.

import { clamp, roundHalfAway } from '../../base/numbers.ts';
import type { OutcomeCounts, Outcomes } from './outcome-counts.ts';

export type ServiceObjective = {
  /** Share of requests that are to be good, within (0, 1). */
  readonly objective: number;
  /** Requests that a window holds at least before it has a rate. */
  readonly minRequests: number;
  /** Bad requests that both windows hold at least before a pair fires. */
  readonly minBad: number;
};

type BurnPair = {
  readonly name: 'fast' | 'slow' | 'ticket';
  readonly factor: number;
  readonly longMinutes: number;
  readonly shortMinutes: number;
  /** Does it move the serving mode? */
  readonly moves: boolean;
};

export const burnPairs: readonly BurnPair[] = [
  { name: 'fast', factor: 14.4, longMinutes: 60, shortMinutes: 5, moves: true },
  { name: 'slow', factor: 6, longMinutes: 360, shortMinutes: 30, moves: true },
  { name: 'ticket', factor: 1, longMinutes: 4320, shortMinutes: 360, moves: false },
];

/** Minutes that a ring must hold for the longest window and the present minute. */
export const burnMinutes = 4321;

const minuteMs = 60_000;

/** Number of the minute of an instant, Unix ms; times before 1970 are minute 0. */
export function minuteOf(atMs: number): number {
  return Math.max(0, Math.floor(atMs / minuteMs));
}

/** What was read of one pair, as it is recorded. */
export type BurnReading = {
  readonly name: string;
  readonly factor: number;
  readonly longMinutes: number;
  /** Times the pace of the budget; null for a window without enough requests. */
  readonly longBurn: number | null;
  readonly shortBurn: number | null;
  readonly firing: boolean;
  readonly moves: boolean;
};

/**
 * The burn rate of a share of bad requests, 0 and up. Kept to six decimals, so that a share that is
 * exactly 14.4 times the allowed one burns 14.4 and not a rounding error less.
 */
export function burnOfShare(badShare: number, objective: number): number {
  return roundHalfAway((badShare / (1 - objective)) * 1e6) / 1e6;
}

/** The burn rate of a window; null below the least number of requests. */
export function burnOf({ total, bad }: Outcomes, slo: ServiceObjective): number | null {
  if (total === 0 || total < slo.minRequests) return null;
  return burnOfShare(bad / total, slo.objective);
}

function window(minutes: OutcomeCounts, atMs: number, length: number): Outcomes {
  const last = minuteOf(atMs);
  return minutes.sum(last - length, last);
}

function readPair(
  pair: BurnPair,
  minutes: OutcomeCounts,
  atMs: number,
  slo: ServiceObjective,
): BurnReading {
  const { name, factor, longMinutes, moves } = pair;
  const long = window(minutes, atMs, longMinutes);
  const short = window(minutes, atMs, pair.shortMinutes);
  const longBurn = burnOf(long, slo);
  const shortBurn = burnOf(short, slo);
  const isEnough = Math.min(long.bad, short.bad) >= slo.minBad;
  const firing = isEnough && (longBurn ?? 0) >= factor && (shortBurn ?? 0) >= factor;
  return { name, factor, longMinutes, longBurn, shortBurn, firing, moves };
}

/** All pairs over counts per minute, at `atMs` (Unix ms), in the order fast, slow, ticket. */
export function readBurn(
  minutes: OutcomeCounts,
  atMs: number,
  slo: ServiceObjective,
): readonly BurnReading[] {
  return burnPairs.map((pair) => readPair(pair, minutes, atMs, slo));
}

/**
 * Share of the error budget of a period that is left, 0 to 1, after these outcomes; null without
 * requests. The budget is the bad requests that the objective allows among as many as there were.
 */
export function budgetLeft({ total, bad }: Outcomes, objective: number): number | null {
  if (total === 0) return null;
  return clamp(1 - burnOfShare(bad / total, objective), 0, 1);
}

type BurnPoint = {
  /** Unix ms, the end of the windows. */
  readonly atMs: number;
  readonly fiveMinutes: number | null;
  readonly hour: number | null;
  readonly sixHours: number | null;
};

/** The burn of the windows of a chart at the end of each of the last `count` whole minutes. */
export function burnPoints(
  minutes: OutcomeCounts,
  atMs: number,
  count: number,
  slo: ServiceObjective,
): readonly BurnPoint[] {
  const present = minuteOf(atMs);
  const burn = (end: number, length: number) => burnOf(minutes.sum(end - length, end - 1), slo);
  return Array.from({ length: count }, (_, index) => {
    const end = present - count + 1 + index;
    return {
      atMs: end * minuteMs,
      fiveMinutes: burn(end, 5),
      hour: burn(end, 60),
      sixHours: burn(end, 360),
    };
  });
}
