// A fleet to simulate: engines with their timing, what they cost and how the gateway sees them.
// From it the same RoutingSnapshot is built that the product's threads decide on.

import type { BackendId } from '../../base/brand.ts';
import { slugOf } from '../backends/slug.ts';
import {
  buildSnapshot,
  type RoutingSettings,
  type RoutingSnapshot,
  type Target,
} from '../routing/snapshot.ts';
import { kvBlockTokens } from '../workload/engine/constants.ts';
import type { EngineSettings } from '../workload/engine/engine-model.ts';

export type FleetEngine = {
  /** Its own; two names with one slug are not told apart and refused by whoever reads them. */
  readonly name: string;
  /** Model ids, at least one. */
  readonly models: readonly string[];
  readonly settings: EngineSettings;
  /** Every step takes that many times as long, at least 1. */
  readonly slowness: number;
  /** Lower is preferred. */
  readonly priority: number;
  /** Concurrent requests as the gateway knows them; 0 means not known. */
  readonly capacity: number;
  /** In the currency of the file. */
  readonly pricePerHour: number;
  /** The way to this engine beyond `networkUs` of the gateway, microseconds; none when absent. */
  readonly wayUs?: number;
};

type FleetGateway = {
  /** What the gateway adds before the engine hears of a request, microseconds. */
  readonly overheadUs: number;
  /** One way between gateway and engine, microseconds. */
  readonly networkUs: number;
  /** Requests in flight at once; one more is shed (`server.max_concurrent_requests`). */
  readonly inFlightMax: number;
};

export type Fleet = {
  /** At least one; the slot of an engine is its place here. */
  readonly engines: readonly FleetEngine[];
  readonly gateway: FleetGateway;
};

/** Tokens, prompt and output together, that the engine takes at most. */
function lengthMaxOf(settings: EngineSettings): number {
  const kvTokens = Math.floor(settings.kvTokens / kvBlockTokens) * kvBlockTokens;
  return Math.min(settings.contextTokens, kvTokens);
}

/** The generation of every slot: nothing is removed from a simulated fleet. */
export const slotGeneration = 1;

function targetOf(engine: FleetEngine, slot: number): Target {
  const contextLength = lengthMaxOf(engine.settings);
  return {
    // The brand says that it is a slug, which it is.
    id: slugOf(engine.name) as BackendId,
    name: engine.name,
    url: `sim:${engine.name}`,
    backendType: 'vllm',
    status: 'healthy',
    statusReason: undefined,
    approved: true,
    priority: engine.priority,
    zone: 'restricted',
    tier: 1,
    slot,
    generation: slotGeneration,
    models: engine.models.map((id) => ({
      id,
      name: id,
      contextLength,
      supportsVision: false,
      supportsTools: true,
      supportsJsonMode: true,
      maxOutputTokens: undefined,
    })),
    closures: [],
    apiKeyEnv: undefined,
    simulated: true,
    loadedModels: undefined,
  };
}

export function snapshotOf(fleet: Fleet, routing: RoutingSettings): RoutingSnapshot {
  return buildSnapshot(1, fleet.engines.map(targetOf), routing);
}
