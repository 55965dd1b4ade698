// One workload once, on a fleet of equal simulated engines on virtual time: the production decision over
// the production counters (arena-counters.ts), the frozen engine model, and nothing that depends on the
// machine. The figures are those of docs/benchmarks.md.
import type { Strategy } from '../../src/base/routing-words.ts';
import {
  type AffinitySettings,
  usualAffinity,
  usualSettings,
} from '../../src/core/routing/snapshot.ts';
import type { Fleet } from '../../src/core/simulation/fleet.ts';
import { figuresOf, usualServiceLevel } from '../../src/core/simulation/fleet-figures.ts';
import {
  type AffinityHints,
  type SimulationRun,
  simulateFleet,
} from '../../src/core/simulation/fleet-simulation.ts';
import { prefixKeyOf } from '../../src/core/simulation/prompt-prefix.ts';
import { percentile } from '../../src/core/statistics/percentile.ts';
import {
  type EngineProfileName,
  engineProfiles,
} from '../../src/core/workload/engine/constants.ts';
import { scramble } from '../../src/core/workload/engine/prompt-digest.ts';
import type { Arrival } from '../../src/core/workload/traces/arrivals.ts';
import { ArenaCounters } from './arena-counters.ts';
import type { Workload } from './workloads.ts';

export const engineCount = 8;
const model = 'bench-model';
const seed = 20_261_122;

/** As many requests at once as an engine takes by default (vLLM `max_num_seqs`). */
const maxRunning = 256;
const maxWaiting = 1024;
const contextTokens = 262_144;

export type Played = {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** First token within 2 s and each further one within 100 ms, over all offered. */
  readonly goodput: number;
  readonly rejected: number;
  /** Of the prompt tokens, found in a cache. */
  readonly cachedShare: number;
  /** Time in steps of the busiest engine over that of the average one; 1 is even. */
  readonly hotSpotIndex: number;
};

/** Equal engines, each with a key-value cache of so many tokens, running requests among them. */
export function fleetOf(profile: EngineProfileName, kvTokens: number): Fleet {
  const settings = {
    profile: engineProfiles[profile],
    maxRunning,
    maxWaiting,
    kvTokens,
    contextTokens,
  };
  const engines = Array.from({ length: engineCount }, (_, at) => ({
    name: `engine-${at}`,
    models: [model],
    settings,
    slowness: 1,
    priority: 50,
    capacity: 0,
    pricePerHour: 0,
  }));
  // Nothing is shed at the gate, so that a policy is judged by what it makes of the whole load.
  const gateway = { overheadUs: 150, networkUs: 100, inFlightMax: 1_000_000 };
  return { engines, gateway };
}

export type PlayOptions = {
  readonly strategy: Strategy;
  /** Gaps of the workload are divided by it. */
  readonly speed: number;
  readonly affinity?: Partial<AffinitySettings>;
  /**
   * Ids of 512 tokens that make the key of a prompt. 1, the default, stands for the 256 tokens that the
   * gateway hashes; with 0 all prompts begin alike.
   */
  readonly keyIds?: number;
};

export function play(fleet: Fleet, workload: Workload, options: PlayOptions): Played {
  const { strategy, speed } = options;
  const arrivals = workload.arrivals.map((arrival) => ({
    ...arrival,
    atUs: Math.floor(arrival.atUs / speed),
  }));
  const run = simulateFleet({
    fleet,
    arrivals,
    routing: { ...usualSettings, strategy, affinity: { ...usualAffinity, ...options.affinity } },
    model,
    seed,
    warmUpUs: arrivals[workload.warmUp]?.atUs ?? 0,
    counters: new ArenaCounters(fleet.engines.length),
    keysOf: (index) => keysOf(workload, arrivals[index], index, options.keyIds ?? 1),
  });
  return playedOf(run, fleet);
}

function keysOf(
  { sessions }: Workload,
  arrival: Arrival | undefined,
  index: number,
  keyIds: number,
): AffinityHints {
  const ids = arrival?.prefixIds ?? [];
  const prefixKey = keyIds === 1 ? prefixKeyOf(ids) : chained(ids.slice(0, keyIds));
  return { prefixKey, affinityKey: sessions?.[index] };
}

function chained(ids: readonly number[]): number {
  return ids.reduce((key, id) => scramble(key ^ scramble(id)), 0);
}

function playedOf(run: SimulationRun, fleet: Fleet): Played {
  const { goodput, rejected } = figuresOf(run, fleet, usualServiceLevel);
  const first = [...run.log.firstUs.subarray(run.countedFrom)].filter((us) => !Number.isNaN(us));
  const ms = (percent: number): number =>
    first.length === 0 ? Number.POSITIVE_INFINITY : percentile(first, percent) / 1000;
  const sum = (of: (use: SimulationRun['use'][number]) => number): number =>
    run.use.reduce((total, use) => total + of(use), 0);
  const busiest = Math.max(...run.use.map(({ busyUs }) => busyUs));
  return {
    p50Ms: ms(50),
    p90Ms: ms(90),
    p95Ms: ms(95),
    p99Ms: ms(99),
    goodput,
    rejected,
    cachedShare: sum(({ cachedTokens }) => cachedTokens) / sum(({ promptTokens }) => promptTokens),
    hotSpotIndex: busiest / (sum(({ busyUs }) => busyUs) / run.use.length),
  };
}

/** p95 of the first token that round robin may come to, ms: what capacity means here. */
const firstTokenMsMax = 2000;
export type SpeedRange = { readonly from: number; readonly to: number; readonly steps: number };

/**
 * The highest speed within the range at which round robin keeps the p95 first token within 2 s and turns
 * nobody away; undefined where even the slowest one does not. Each step halves the ratio that is left.
 */
export function capacityOf(
  fleet: Fleet,
  workload: Workload,
  range: SpeedRange,
): number | undefined {
  const holds = (speed: number): boolean => {
    const { p95Ms, rejected } = play(fleet, workload, { strategy: 'round_robin', speed });
    return p95Ms <= firstTokenMsMax && rejected === 0;
  };
  let { from, to } = range;
  if (!holds(from)) return undefined;
  for (let step = 0; step < range.steps; step++) {
    const speed = Math.sqrt(from * to);
    if (holds(speed)) from = speed;
    else to = speed;
  }
  return from;
}
