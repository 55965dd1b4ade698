// Builders for the tests of the fleet simulation: small fleets, arrivals, and a run with settings
// that a test does not name.

import { usualSettings } from '../routing/snapshot.ts';
import { engineProfiles } from '../workload/engine/constants.ts';
import type { Arrival } from '../workload/traces/arrivals.ts';
import type { Fleet, FleetEngine } from './fleet.ts';
import { type SimulationInput, type SimulationRun, simulateFleet } from './fleet-simulation.ts';

const profile = engineProfiles['a100-7b'];

export const usualPolicy = {
  tickSeconds: 10,
  failurePercent: 5,
  cooldownSeconds: 60,
  holdSeconds: 120,
  riskPercent: 60,
  graceSeconds: 60,
  firstByteMs: 2000,
  objective: 0.99,
  minRequests: 50,
  minBad: 10,
};

export function engine(
  name: string,
  facts: Partial<Omit<FleetEngine, 'settings'> & FleetEngine['settings']> = {},
): FleetEngine {
  return {
    name,
    models: facts.models ?? ['m'],
    settings: {
      profile: facts.profile ?? profile,
      maxRunning: facts.maxRunning ?? 8,
      maxWaiting: facts.maxWaiting ?? 100,
      kvTokens: facts.kvTokens ?? 16_000,
      contextTokens: facts.contextTokens ?? 4096,
    },
    slowness: facts.slowness ?? 1,
    priority: facts.priority ?? 50,
    capacity: facts.capacity ?? 0,
    pricePerHour: facts.pricePerHour ?? 3.6,
  };
}

export function fleet(
  engines: readonly FleetEngine[],
  gateway: Partial<Fleet['gateway']> = {},
): Fleet {
  return { engines, gateway: { overheadUs: 0, networkUs: 0, inFlightMax: 1000, ...gateway } };
}

export function arrival(atUs: number, facts: Partial<Arrival> = {}): Arrival {
  return {
    atUs,
    promptTokens: 1024,
    outputTokens: 3,
    model: undefined,
    prefixIds: [],
    stream: true,
    ...facts,
  };
}

export function runOf(
  given: Fleet,
  arrivals: readonly Arrival[],
  more: Partial<Omit<SimulationInput, 'routing'>> & {
    readonly routing?: Partial<SimulationInput['routing']>;
  } = {},
): SimulationRun {
  return simulateFleet({
    fleet: given,
    arrivals,
    model: 'm',
    seed: 1,
    warmUpUs: 0,
    ...more,
    routing: {
      ...usualSettings,
      ...more.routing,
    },
  });
}
