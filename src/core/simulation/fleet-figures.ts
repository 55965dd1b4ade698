// What a simulated run means for whoever plans a fleet. Percentiles are exact nearest ranks over
// the answered requests; goodput counts what was refused as failed, so a candidate cannot win by
// turning load away.

import { percentileOfRanked, ranked } from '../statistics/percentile.ts';
import type { EngineUse } from './engine-bank.ts';
import type { Fleet } from './fleet.ts';
import type { ModeMove, SimulationRun } from './fleet-simulation.ts';
import type { RequestLog } from './request-log.ts';

/** When a request was served well enough. */
export type ServiceLevel = {
  /** First token within, ms. */
  readonly ttftMs: number;
  /** And each further token within, on average over the request, ms. */
  readonly tpotMs: number;
};

/** 2 s and 100 ms: the goodput of docs/benchmarks.md. */
export const usualServiceLevel: ServiceLevel = { ttftMs: 2000, tpotMs: 100 };

export type Percentiles = { readonly p50: number; readonly p95: number; readonly p99: number };

type CurvePoint = {
  /** Per cent, 50 to 99.9. */
  readonly percent: number;
  readonly firstMs: number;
  readonly totalMs: number;
};

export type EngineFigures = {
  readonly name: string;
  readonly requests: number;
  /** Of all answered requests, 0 to 1. */
  readonly share: number;
  /** Of the time, in a step, 0 to 1. */
  readonly busy: number;
  /** Sequences in a step on average, over `maxRunning`. */
  readonly batchOccupancy: number;
  readonly kvMean: number;
  readonly kvPeak: number;
  readonly waitingMean: number;
  readonly waitingPeak: number;
  readonly tokensPerSecond: number;
  /** Of the prompt tokens, found in the prefix cache, 0 to 1. */
  readonly cachedShare: number;
};

export type FleetFigures = {
  /** Offered, warm-up left out. */
  readonly requests: number;
  readonly answered: number;
  readonly rejected: number;
  /** By code, most first, ties by code. */
  readonly rejections: readonly { readonly code: string; readonly count: number }[];
  readonly warmUpRequests: number;
  /** Attempts over requests, warm-up included. */
  readonly attemptsPerRequest: number;
  /** First byte after arrival, ms; undefined when nothing was answered. */
  readonly first: Percentiles | undefined;
  readonly total: Percentiles | undefined;
  /** p99 of the time between two tokens, over all tokens, ms; within 0.5 %. */
  readonly betweenTokensP99Ms: number | undefined;
  /** Served well enough, over all offered. */
  readonly goodput: number;
  /** Served well enough, over the answered. */
  readonly attainment: number;
  readonly spanSeconds: number;
  readonly requestsPerSecond: number;
  /** Output tokens. */
  readonly tokensPerSecond: number;
  readonly pricePerHour: number;
  /** Of the fleet, busy or not, for a million output tokens; undefined without any. */
  readonly pricePerMillionTokens: number | undefined;
  readonly engines: readonly EngineFigures[];
  readonly curve: readonly CurvePoint[];
  readonly modeMoves: readonly ModeMove[];
};

const curvePercents = [50, 55, 60, 65, 70, 75, 80, 85, 90, 92.5, 95, 96, 97, 98, 99, 99.5, 99.9];

export function figuresOf(run: SimulationRun, fleet: Fleet, level: ServiceLevel): FleetFigures {
  const { log, countedFrom } = run;
  const answered = answeredOf(log, countedFrom);
  const firstUs = ranked(answered.map((index) => log.firstUs[index] ?? 0));
  const totalUs = ranked(answered.map((index) => log.totalUs[index] ?? 0));
  const good = answered.filter((index) => isGood(log, index, level)).length;
  const requests = log.size - countedFrom;
  const spanSeconds = run.spanUs / 1e6;
  const tokens = run.use.reduce((sum, use) => sum + use.generatedTokens, 0);
  const pricePerHour = fleet.engines.reduce((sum, engine) => sum + engine.pricePerHour, 0);
  const isAnswered = answered.length > 0;
  return {
    requests,
    answered: answered.length,
    rejected: requests - answered.length,
    rejections: rejectionsOf(log, countedFrom),
    warmUpRequests: countedFrom,
    attemptsPerRequest: ratio(run.attempts, log.size),
    first: isAnswered ? percentilesOf(firstUs) : undefined,
    total: isAnswered ? percentilesOf(totalUs) : undefined,
    betweenTokensP99Ms: run.tokenGapUs(0.99) === 0 ? undefined : run.tokenGapUs(0.99) / 1000,
    goodput: ratio(good, requests),
    attainment: ratio(good, answered.length),
    spanSeconds,
    requestsPerSecond: ratio(log.size, spanSeconds),
    tokensPerSecond: ratio(tokens, spanSeconds),
    pricePerHour,
    pricePerMillionTokens:
      tokens === 0 ? undefined : (pricePerHour * spanSeconds * 1e6) / 3600 / tokens,
    engines: run.use.map((use, slot) => engineFigures(use, slot, run, fleet)),
    curve: isAnswered ? curveOf(firstUs, totalUs) : [],
    modeMoves: run.modeMoves,
  };
}

function answeredOf(log: RequestLog, countedFrom: number): number[] {
  const answered: number[] = [];
  for (let index = countedFrom; index < log.size; index++) {
    if (log.codeOf(index) === undefined) answered.push(index);
  }
  return answered;
}

/** One token has no further one, so only its first counts. */
function isGood(log: RequestLog, index: number, level: ServiceLevel): boolean {
  const firstUs = log.firstUs[index] ?? Number.NaN;
  if (!(firstUs <= level.ttftMs * 1000)) return false;
  const further = (log.tokens[index] ?? 1) - 1;
  return (log.totalUs[index] ?? 0) - firstUs <= level.tpotMs * 1000 * further;
}

function percentilesOf(ascendingUs: Float64Array): Percentiles {
  const ms = (percent: number): number => percentileOfRanked(ascendingUs, percent) / 1000;
  return { p50: ms(50), p95: ms(95), p99: ms(99) };
}

function curveOf(firstUs: Float64Array, totalUs: Float64Array): CurvePoint[] {
  return curvePercents.map((percent) => ({
    percent,
    firstMs: percentileOfRanked(firstUs, percent) / 1000,
    totalMs: percentileOfRanked(totalUs, percent) / 1000,
  }));
}

function rejectionsOf(log: RequestLog, countedFrom: number): FleetFigures['rejections'] {
  const counts = new Map<string, number>();
  for (let index = countedFrom; index < log.size; index++) {
    const code = log.codeOf(index);
    if (code !== undefined) counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return [...counts]
    .map(([code, count]) => ({ code, count }))
    .sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
}

function engineFigures(
  use: EngineUse,
  slot: number,
  run: SimulationRun,
  fleet: Fleet,
): EngineFigures {
  const engine = fleet.engines[slot];
  const finished = run.use.reduce((sum, each) => sum + each.finished, 0);
  return {
    name: engine?.name ?? '',
    requests: use.finished,
    share: ratio(use.finished, finished),
    busy: ratio(use.busyUs, run.spanUs),
    batchOccupancy: ratio(use.meanBatch, engine?.settings.maxRunning ?? 1),
    kvMean: use.kvMean,
    kvPeak: use.kvPeak,
    waitingMean: use.waitingMean,
    waitingPeak: use.waitingPeak,
    tokensPerSecond: ratio(use.generatedTokens, run.spanUs / 1e6),
    cachedShare: ratio(use.cachedTokens, use.promptTokens),
  };
}

/** 0 where there is nothing to divide by. */
function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
