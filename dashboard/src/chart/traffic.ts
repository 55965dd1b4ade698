// The figures that Overview shows, from the series of seconds that the server sends: sums and rates
// over a named window, columns for the charts, and the same in words for those who do not see them.

import type { OverviewWire } from '../api/wire.ts';
import { formatCount, formatRate } from '../format/numbers.ts';
import { formatClock, formatLatency } from '../format/time.ts';

export type Second = OverviewWire['series'][number];

/** Seconds that the charts show. */
export const windowSeconds = 300;

/** Mean requests per second over the newest `seconds` of the series; null without any second. */
export function rateOver(series: readonly Second[], seconds: number): number | null {
  const window = series.slice(-seconds);
  if (window.length === 0) return null;
  return window.reduce((sum, second) => sum + second.requests, 0) / window.length;
}

export type Tally = {
  readonly requests: number;
  readonly failed: number;
  /** How many seconds were counted. */
  readonly seconds: number;
};

export function tally(series: readonly Second[]): Tally {
  let requests = 0;
  let failed = 0;
  for (const second of series) {
    requests += second.requests;
    failed += second.failed;
  }
  return { requests, failed, seconds: series.length };
}

export type LatencyNow = {
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** How long before the newest second it was measured. */
  readonly ageSeconds: number;
};

/** The newest second that had a first byte: percentiles of seconds cannot be averaged. */
export function latestLatency(series: readonly Second[]): LatencyNow | undefined {
  for (let index = series.length - 1; index >= 0; index -= 1) {
    const second = series[index];
    if (second === undefined) continue;
    const { first_byte_p50_ms: p50Ms, first_byte_p95_ms: p95Ms } = second;
    if (p50Ms === null || p95Ms === null) continue;
    return { p50Ms, p95Ms, ageSeconds: series.length - 1 - index };
  }
  return undefined;
}

export type Columns = {
  readonly times: readonly number[];
  readonly lines: readonly (readonly (number | null)[])[];
};

export function trafficColumns(series: readonly Second[]): Columns {
  return {
    times: series.map((second) => second.t),
    lines: [series.map((second) => second.requests), series.map((second) => second.failed)],
  };
}

export function latencyColumns(series: readonly Second[]): Columns {
  return {
    times: series.map((second) => second.t),
    lines: [
      series.map((second) => second.first_byte_p50_ms),
      series.map((second) => second.first_byte_p95_ms),
    ],
  };
}

function windowWords(series: readonly Second[]): string {
  const first = series[0];
  const last = series.at(-1);
  if (first === undefined || last === undefined) return 'No second was recorded yet.';
  return `From ${formatClock(first.t * 1000)} to ${formatClock(last.t * 1000)}`;
}

function largest(values: readonly (number | null)[]): number | null {
  let most: number | null = null;
  for (const value of values) if (value !== null && (most === null || value > most)) most = value;
  return most;
}

/** What the traffic chart shows, in one sentence. */
export function trafficWords(series: readonly Second[]): string {
  const { requests, failed } = tally(series);
  const peak = largest(series.map((second) => second.requests));
  if (peak === null) return windowWords(series);
  return (
    `${windowWords(series)}: ${formatCount(requests)} requests finished, ${formatCount(failed)} of ` +
    `them failed; at most ${formatRate(peak)} in one second.`
  );
}

/** What the latency chart shows, in one sentence. */
export function latencyWords(series: readonly Second[]): string {
  const median = largest(series.map((second) => second.first_byte_p50_ms));
  const tail = largest(series.map((second) => second.first_byte_p95_ms));
  if (series.length === 0) return windowWords(series);
  if (median === null || tail === null)
    return `${windowWords(series)}: no first byte was measured.`;
  return (
    `${windowWords(series)}: the slowest second had a median first byte of ` +
    `${formatLatency(median)} and a p95 of ${formatLatency(tail)}.`
  );
}
