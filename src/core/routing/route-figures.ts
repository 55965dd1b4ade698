// Figures of a route and of its endpoint (platform specification A.11). Latencies are milliseconds;
// a latency of 0 or less is "no measurement" and scores 0 (ruling C7). NaN stays NaN.

import { clamp } from '../../base/numbers.ts';

/** reliability x priority / latency; higher is better, 0 for a latency of 0 or less. */
export function endpointScore(latencyMs: number, reliability: number, priority: number): number {
  return latencyMs <= 0 ? 0 : (reliability * priority) / latencyMs;
}

/** reliability x weight / latency: the endpoint's score with a weight in the place of its priority. */
export function weightedScore(latencyMs: number, reliability: number, weight: number): number {
  return endpointScore(latencyMs, reliability, weight);
}

/** The latency as a share of `maxMs`, held within 0..1; 0 for a maximum of 0 or less. */
export function normalizeLatency(latencyMs: number, maxMs: number): number {
  return maxMs <= 0 ? 0 : clamp(latencyMs / maxMs, 0, 1);
}

/** base x (1 + load), cut to whole milliseconds; `load` is a share, 0.5 for half as much again. */
export function loadAdjustedLatency(baseMs: number, load: number): number {
  return Math.trunc(baseMs * (1 + load));
}

/** The share of successes, 0 to 1; 0 for nothing tried. */
export function successRate(successes: number, total: number): number {
  return total === 0 ? 0 : successes / total;
}

/** How far two positions are apart, in their unit. */
export function absoluteGap(a: number, b: number): number {
  return Math.abs(a - b);
}

/** Kilometres of a distance in nmi, of which one is 1852 metres exactly. */
export function nmiToKm(nmi: number): number {
  return nmi * 1.852;
}
