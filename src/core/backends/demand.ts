// What the requests of the last weeks say of a model: when it is wanted, whether it is wanted more and
// more, and how sure that is (specification BR 19). Demand is kept as requests per UTC hour; the raw
// times of a busy month would be a list of many millions.

import { assert } from '../../base/assert.ts';

/** Requests of one model within one hour. */
export type DemandHour = {
  /** Whole hours since 1970 UTC. */
  readonly hour: number;
  readonly requests: number;
};

export const demandTrends = ['increasing', 'decreasing', 'stable'] as const;
export type DemandTrend = (typeof demandTrends)[number];

export type DemandPattern = {
  /** Requests in all. */
  readonly total: number;
  /** UTC days with at least one request. */
  readonly daysWithData: number;
  /** Days from the first to the last request, both counted. */
  readonly spanDays: number;
  /** 24 averages, by the hour of the UTC day: requests over days with data. */
  readonly hourlyAverage: readonly number[];
  /** Hour of the UTC day with the most requests; the earliest of equals. */
  readonly peakHour: number;
  /** The highest hourly average over the mean of those that are not zero; at least 1. */
  readonly peakRatio: number;
  readonly isPatterned: boolean;
  readonly trend: DemandTrend;
};

export type DemandBounds = {
  readonly minSampleDays: number;
  readonly minRequestCount: number;
};

/** Hours of demand that are kept. */
export const demandHoursKept = 30 * 24;
/** From here on the day has a shape. */
const patternRatio = 2;
const trendHours = 7 * 24;
const trendShare = 0.2;

/** Hours since 1970 UTC. */
export function hourOf(unixMs: number): number {
  return Math.floor(unixMs / 3_600_000);
}

/** Requests of the hours in (`after`, `upTo`]. */
function requestsIn(hours: readonly DemandHour[], after: number, upTo: number): number {
  return hours.reduce(
    (sum, { hour, requests }) => (hour > after && hour <= upTo ? sum + requests : sum),
    0,
  );
}

/** The last 7 days against the 7 before: beyond a fifth more or less it has a direction. */
function trendOf(hours: readonly DemandHour[], nowHour: number): DemandTrend {
  const recent = requestsIn(hours, nowHour - trendHours, nowHour);
  const older = requestsIn(hours, nowHour - 2 * trendHours, nowHour - trendHours);
  if (older === 0) return recent > 0 ? 'increasing' : 'stable';
  const change = (recent - older) / older;
  if (change > trendShare) return 'increasing';
  return change < -trendShare ? 'decreasing' : 'stable';
}

function averagesByHour(hours: readonly DemandHour[], daysWithData: number): number[] {
  const averages = new Array<number>(24).fill(0);
  for (const { hour, requests } of hours) {
    const ofDay = hour % 24;
    averages[ofDay] = (averages[ofDay] ?? 0) + requests / daysWithData;
  }
  return averages;
}

/** The pattern of a model's demand at the hour `nowHour`; undefined when there is none at all. */
export function demandPattern(
  demand: readonly DemandHour[],
  nowHour: number,
): DemandPattern | undefined {
  const hours = demand.filter(({ requests }) => requests > 0);
  const days = new Set(hours.map(({ hour }) => Math.floor(hour / 24)));
  if (days.size === 0) return undefined;
  const hourlyAverage = averagesByHour(hours, days.size);
  const nonZero = hourlyAverage.filter((average) => average > 0);
  const highest = Math.max(...nonZero);
  const peakRatio = highest / (nonZero.reduce((sum, one) => sum + one, 0) / nonZero.length);
  return {
    total: hours.reduce((sum, { requests }) => sum + requests, 0),
    daysWithData: days.size,
    spanDays: Math.max(...days) - Math.min(...days) + 1,
    hourlyAverage,
    peakHour: hourlyAverage.indexOf(highest),
    peakRatio,
    isPatterned: peakRatio >= patternRatio,
    trend: trendOf(hours, nowHour),
  };
}

/** 0 to 1: half from the shape of the day, a quarter each from how much and how long was seen. */
export function confidenceOf(pattern: DemandPattern, bounds: DemandBounds): number {
  assert(bounds.minRequestCount >= 1, `requests at least ${bounds.minRequestCount}`);
  assert(bounds.minSampleDays >= 1, `days at least ${bounds.minSampleDays}`);
  const strength = pattern.isPatterned ? Math.min((pattern.peakRatio - 1) / 3, 1) : 0.2;
  const amount = Math.min(pattern.total / (5 * bounds.minRequestCount), 1);
  const length = Math.min(pattern.spanDays / (2 * bounds.minSampleDays), 1);
  return Math.min(1, Math.max(0, 0.5 * strength + 0.25 * amount + 0.25 * length));
}

/** Is there enough to go by, and anything that a model should be loaded ahead for? */
export function isWorthLoading(pattern: DemandPattern, bounds: DemandBounds): boolean {
  const isEnough =
    pattern.total >= bounds.minRequestCount && pattern.spanDays >= bounds.minSampleDays;
  return isEnough && (pattern.isPatterned || pattern.trend === 'increasing');
}
