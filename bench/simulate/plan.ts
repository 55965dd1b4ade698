// A fleet of equal engines, and the trace on it once: the pieces that the measurements share.
import { usualSettings } from '../../src/core/routing/snapshot.ts';
import type { Fleet, FleetEngine } from '../../src/core/simulation/fleet.ts';
import { type SimulationRun, simulateFleet } from '../../src/core/simulation/fleet-simulation.ts';
import { percentile } from '../../src/core/statistics/percentile.ts';
import {
  type EngineProfileName,
  engineProfiles,
} from '../../src/core/workload/engine/constants.ts';
import type { Arrival } from '../../src/core/workload/traces/arrivals.ts';
import { defaultCandidate } from '../../src/services/simulation/candidate-file.ts';

export const model = 'llama-2-7b';
const contextTokens = 32_768;

function engine(name: string, profileName: EngineProfileName): FleetEngine {
  const profile = engineProfiles[profileName];
  const { kvTokens } = profile;
  return {
    name,
    models: [model],
    settings: { profile, maxRunning: 256, maxWaiting: 1024, kvTokens, contextTokens },
    slowness: 1,
    priority: 50,
    capacity: 0,
    pricePerHour: 0,
  };
}

/** Named as bench/gateway/product.ts names its backends, so that they stand in the same order. */
export function fleetOf(count: number, profile: EngineProfileName): Fleet {
  const engines = Array.from({ length: count }, (_, at) => engine(`bench-${at}`, profile));
  return { engines, gateway: { overheadUs: 150, networkUs: 0, inFlightMax: 1000 } };
}

export function planned(
  fleet: Fleet,
  arrivals: readonly Arrival[],
  strategy: 'smart' | 'round_robin' = 'smart',
): SimulationRun {
  const { routing, policy } = defaultCandidate();
  const changed = { ...usualSettings, ...routing, strategy };
  return simulateFleet({ fleet, arrivals, routing: changed, policy, model, seed: 1, warmUpUs: 0 });
}

/** p-th percentile of the first byte, ms. */
export function firstByteMs(run: SimulationRun, pct: number): number {
  return percentile(run.log.firstUs, pct) / 1000;
}

/** Virtual seconds per second of wall time. */
export function planOnce(arrivals: readonly Arrival[], backends: number): number {
  const fleet = fleetOf(backends, 'a100-7b');
  const begin = performance.now();
  const run = planned(fleet, arrivals);
  return run.spanUs / 1000 / (performance.now() - begin);
}

/** Nothing is searched above this multiple of the trace's own rate. */
const rateMax = 64;

/**
 * Capacity as docs/benchmarks.md has it: the highest rate, as a multiple of that of the trace, at
 * which round robin keeps the p95 first byte within 2 s. `scaled` gives the arrivals at a rate.
 */
export function capacityOf(fleet: Fleet, scaled: (rate: number) => readonly Arrival[]): number {
  let holds = 0;
  let breaks = rateMax;
  for (let step = 0; step < 12; step++) {
    const rate = (holds + breaks) / 2;
    const p95 = firstByteMs(planned(fleet, scaled(rate), 'round_robin'), 95);
    if (p95 <= 2000) holds = rate;
    else breaks = rate;
  }
  return holds;
}
