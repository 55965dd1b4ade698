// Tier 3 of a replay with a candidate, simulated: the requests of the log on engines fitted to it,
// once under the recorded routing and once under the candidate's, both through the production
// decision. Here one choice does change what the next one meets, which tiers 1 and 2 cannot show; the
// price is a model of the engines. How far that model is off is told beside it: the p95 first byte of
// the recorded policy, simulated against recorded.
//
// The engine is the batch engine of core/workload with a step that costs what was fitted: one token
// the median time of an output token, each further token the slope of the first byte. What is left of
// a first byte without a prompt is the way to that backend, which takes time and keeps nothing busy.

import type { RoutingSettings, RoutingSnapshot, Target } from '../routing/snapshot.ts';
import type { Fleet, FleetEngine } from '../simulation/fleet.ts';
import { figuresOf, usualServiceLevel } from '../simulation/fleet-figures.ts';
import { simulateFleet } from '../simulation/fleet-simulation.ts';
import { percentileOfRanked, ranked } from '../statistics/percentile.ts';
import { engineProfiles, stepTokensMax } from '../workload/engine/constants.ts';
import type { Arrival } from '../workload/traces/arrivals.ts';
import {
  type BackendFit,
  fitSamplesMin,
  type LoggedRequest,
  type WorkloadLog,
} from './workload-log.ts';

export type SimulatedFigures = {
  readonly requests: number;
  readonly rejected: number;
  readonly firstByteP50Ms: number | undefined;
  readonly firstByteP95Ms: number | undefined;
  /** Served within 2 s and 100 ms a token, over all offered, 0 to 1. */
  readonly goodput: number;
};

export type SimulatedTier =
  | { readonly kind: 'refused'; readonly words: string }
  | {
      readonly kind: 'simulated';
      readonly recordedPolicy: SimulatedFigures;
      readonly candidate: SimulatedFigures;
      /** |simulated - recorded| / recorded of the p95 first byte under the recorded policy. */
      readonly calibrationError: number | undefined;
    };

const requestsMin = 100;
/** Sequences of an engine whose capacity is not known. */
const usualRunning = 256;
const waitingMax = 100_000;
/** Enough for the cache never to be what limits: the log does not tell its size. */
const kvTokens = 2_000_000;
const seed = 1;

function targetOf(snapshots: readonly RoutingSnapshot[], backendId: string): Target | undefined {
  for (const snapshot of snapshots) {
    const target = snapshot.targets.find(({ id }) => id === backendId);
    if (target !== undefined) return target;
  }
  return undefined;
}

function engineOf(fit: BackendFit, target: Target | undefined, capacity: number): FleetEngine {
  const tokenUs = Math.max(1, Math.round(fit.msPerOutputToken * 1000));
  const furtherUs = (stepTokensMax - 1) * fit.msPerPromptToken * 1000;
  const contextTokens = Math.max(
    ...(target?.models.map((model) => model.contextLength) ?? []),
    131_072,
  );
  return {
    name: fit.backendId,
    models: fit.models,
    settings: {
      profile: {
        ...engineProfiles['a100-7b'],
        hardware: 'fitted to the log',
        stepTable: [
          [1, tokenUs],
          [stepTokensMax, Math.round(tokenUs + furtherUs)],
        ],
        kvReadPs: 0,
        prefillPairPs: 0,
        kvTokens,
      },
      maxRunning: capacity > 0 ? capacity : usualRunning,
      maxWaiting: waitingMax,
      kvTokens,
      contextTokens,
    },
    slowness: 1,
    priority: target?.priority ?? 0,
    capacity,
    pricePerHour: 0,
    wayUs: Math.max(0, Math.round((fit.baseMs - fit.msPerOutputToken) * 1000)),
  };
}

function fleetOf(
  fits: readonly BackendFit[],
  snapshots: readonly RoutingSnapshot[],
  capacities: ReadonlyMap<string, number>,
): Fleet {
  const engines = fits.map((fit) =>
    engineOf(fit, targetOf(snapshots, fit.backendId), capacities.get(fit.backendId) ?? 0),
  );
  // What the gateway adds is in the first bytes that were fitted.
  return { engines, gateway: { overheadUs: 0, networkUs: 0, inFlightMax: 1_000_000 } };
}

function arrivalsOf(requests: readonly LoggedRequest[]): Arrival[] {
  const origin = requests[0]?.at ?? 0;
  return requests.map((request) => ({
    atUs: (request.at - origin) * 1000,
    promptTokens: Math.max(1, request.promptTokens),
    outputTokens: Math.max(1, request.completionTokens),
    model: request.model,
    prefixIds: [],
    stream: true,
  }));
}

function figures(
  fleet: Fleet,
  arrivals: readonly Arrival[],
  routing: RoutingSettings,
): SimulatedFigures {
  const model = fleet.engines[0]?.models[0] ?? '';
  const run = simulateFleet({ fleet, arrivals, routing, model, seed, warmUpUs: 0 });
  const found = figuresOf(run, fleet, usualServiceLevel);
  return {
    requests: found.requests,
    rejected: found.rejected,
    firstByteP50Ms: found.first?.p50,
    firstByteP95Ms: found.first?.p95,
    goodput: found.goodput,
  };
}

function refused(words: string): SimulatedTier {
  return { kind: 'refused', words };
}

/**
 * Simulates both policies, or says why not. `recorded` are the settings of the newest snapshot;
 * `capacities` the largest that was read of each backend, 0 or absent where unknown.
 */
export function simulateBoth(
  log: WorkloadLog,
  snapshots: readonly RoutingSnapshot[],
  capacities: ReadonlyMap<string, number>,
  recorded: RoutingSettings,
  candidate: Partial<RoutingSettings>,
): SimulatedTier {
  const requests = log.requests();
  if (requests.length < requestsMin) {
    return refused(`${requests.length} answered requests in the window, needs ${requestsMin}`);
  }
  const fits = log.fits();
  const thin = fits.filter((fit) => fit.requests < fitSamplesMin);
  if (thin.length > 0) {
    const names = thin.map((fit) => `${fit.backendId} (${fit.requests})`).join(', ');
    return refused(`too few requests to fit ${names}, needs ${fitSamplesMin} of each`);
  }
  const fleet = fleetOf(fits, snapshots, capacities);
  const arrivals = arrivalsOf(requests);
  const recordedPolicy = figures(fleet, arrivals, recorded);
  const measured = percentileOfRanked(ranked(requests.map((request) => request.firstByteMs)), 95);
  const simulatedMs = recordedPolicy.firstByteP95Ms;
  return {
    kind: 'simulated',
    recordedPolicy,
    candidate: figures(fleet, arrivals, { ...recorded, ...candidate }),
    calibrationError:
      simulatedMs === undefined || measured === 0
        ? undefined
        : Math.abs(simulatedMs - measured) / measured,
  };
}
