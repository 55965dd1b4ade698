// Builders for the tests of routing: backends with live figures, and what a request needs.

import type { BackendId } from '../../base/brand.ts';
import type { Model } from '../backends/backend.ts';
import { type CounterSource, noHints, type RouteFeatures } from './decision-input.ts';
import { buildSnapshot, type RoutingSettings, type Target, usualSettings } from './snapshot.ts';

export type Figures = {
  readonly pending: number;
  readonly capacity: number;
  readonly latencyMs: number;
  /** Status code of the arena: 1 is healthy. */
  readonly status: number;
  readonly generation: number;
  readonly gates: number;
  readonly peakMs: number;
  readonly tokens: number;
  readonly engineRequests: number;
  readonly kvUse: number;
};

const calm: Figures = {
  pending: 0,
  capacity: 0,
  latencyMs: 0,
  status: 1,
  generation: 1,
  gates: 0,
  peakMs: 0,
  tokens: 0,
  engineRequests: -1,
  kvUse: -1,
};

export function model(id: string, facts: Partial<Model> = {}): Model {
  return {
    id,
    name: id,
    contextLength: 8192,
    supportsVision: true,
    supportsTools: true,
    supportsJsonMode: true,
    maxOutputTokens: undefined,
    ...facts,
  };
}

export type TestTarget = Target & { readonly figures: Figures };

export function target(
  id: string,
  facts: Partial<Target> = {},
  figures: Partial<Figures> = {},
): TestTarget {
  return {
    id: id as BackendId,
    name: id,
    url: `http://${id}:1`,
    backendType: 'vllm',
    status: 'healthy',
    statusReason: undefined,
    approved: true,
    priority: 50,
    zone: 'restricted',
    tier: 1,
    slot: 0,
    generation: 1,
    models: [model('m')],
    closures: [],
    apiKeyEnv: undefined,
    simulated: false,
    loadedModels: undefined,
    ...facts,
    figures: { ...calm, ...figures },
  };
}

export function settings(more: Partial<RoutingSettings> = {}): RoutingSettings {
  return { ...usualSettings, ...more };
}

/** A snapshot of these backends, each in a slot of its own, and their figures. */
export function fleetOf(
  targets: readonly TestTarget[],
  more: Partial<RoutingSettings> = {},
): { readonly snapshot: ReturnType<typeof buildSnapshot>; readonly counters: CounterSource } {
  const placed = targets.map((one, slot) => ({ ...one, slot }));
  const figuresOf = (slot: number): Figures => placed[slot]?.figures ?? calm;
  return {
    snapshot: buildSnapshot(1, placed, settings(more)),
    counters: {
      read: ({ target: { slot, generation: own } }) => {
        const { generation, status, ...read } = figuresOf(slot);
        return { ...read, isCurrent: generation === own, statusCode: status };
      },
    },
  };
}

export function features(more: Partial<RouteFeatures> = {}): RouteFeatures {
  return {
    model: 'm',
    resolvedModel: 'm',
    operation: 'chat',
    estimatedTokens: 10,
    maxOutputTokens: undefined,
    needsVision: false,
    needsTools: false,
    needsJsonMode: false,
    remoteMedia: false,
    ...noHints,
    ...more,
  };
}
