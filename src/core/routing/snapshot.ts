// What a decision sees of the fleet: an immutable list of backends with an index by model, and the
// routing settings. Threads swap the whole object; a request keeps the one it began with.

import { type BackendType, isCloudType } from '../../base/backend-type.ts';
import type { BackendId } from '../../base/brand.ts';
import { compareText } from '../../base/compare.ts';
import type { HardLimitAction, Strategy } from '../../base/routing-words.ts';
import type { BackendStatus, Model, PrivacyZone } from '../backends/backend.ts';
import type { ModelClosure } from '../backends/operation.ts';
import type { PriceRule } from '../usage/price-table.ts';
import type { ModelRule } from './model-rule.ts';
import type { ShadowRule } from './shadow-rule.ts';
import type { TrafficSplit } from './split.ts';

/** One backend as a decision sees it. */
export type Target = {
  readonly id: BackendId;
  readonly name: string;
  readonly url: string;
  readonly backendType: BackendType;
  readonly status: BackendStatus;
  readonly statusReason: string | undefined;
  readonly approved: boolean;
  readonly priority: number;
  readonly zone: PrivacyZone;
  readonly tier: number;
  /** Slot and generation of the counters. */
  readonly slot: number;
  readonly generation: number;
  readonly models: readonly Model[];
  /** Models that take no requests for the time of an operation. */
  readonly closures: readonly ModelClosure[];
  readonly apiKeyEnv: string | undefined;
  readonly simulated: boolean;
  /** Models that are in its memory now; undefined where it does not tell. */
  readonly loadedModels: readonly string[] | undefined;
};

/** Degrees; north and east are positive. */
export type Place = { readonly latitude: number; readonly longitude: number };

/** How requests that belong together are kept together, and what they may cost the others. */
export type AffinitySettings = {
  /** Beyond this difference in requests in flight, and beyond `gateRatio`, load decides instead. */
  readonly gateRequests: number;
  /** Most in flight over least in flight. */
  readonly gateRatio: number;
  /** A backend takes at most this many times the average requests in flight, above 1. */
  readonly loadFactor: number;
  /** Share of requests that go to any backend, per cent. */
  readonly explorePercent: number;
  /** What loading a model costs a request that has to wait for it, ms. */
  readonly swapMs: number;
};

export const usualAffinity: AffinitySettings = {
  gateRequests: 32,
  gateRatio: 1.1,
  loadFactor: 1.25,
  explorePercent: 1,
  swapMs: 10_000,
};

/** How much copies may cost a gateway thread; none of it is part of a decision. */
export type ShadowLimits = {
  readonly queueSize: number;
  readonly inFlight: number;
  readonly timeoutSeconds: number;
};

/** Answers that are kept for when no backend is left; not part of a decision. */
export type DegradationSettings = {
  readonly enabled: boolean;
  readonly maxAgeSeconds: number;
  /** Millions of bytes for each gateway thread. */
  readonly cacheMb: number;
  /** Also of models that a rule holds in the restricted zone. */
  readonly restricted: boolean;
};

export type RoutingSettings = {
  readonly strategy: Strategy;
  /** Weights of the smart score; they sum to 100. */
  readonly weights: { readonly priority: number; readonly load: number; readonly latency: number };
  /** Further attempts after the first. */
  readonly maxRetries: number;
  readonly aliases: Readonly<Record<string, string>>;
  /** Resolved model -> models that may stand in for it, in order; theirs are not looked at. */
  readonly fallbacks: Readonly<Record<string, readonly string[]>>;
  readonly policies: readonly ModelRule[];
  /** Backend -> whole weight of 0 or more. */
  readonly backendWeights: Readonly<Record<string, number>>;
  readonly regions: Readonly<Record<string, Place>>;
  /** Backend -> its region. */
  readonly backendRegions: Readonly<Record<string, string>>;
  readonly affinity: AffinitySettings;
  /** First byte, ms, beyond which `smart` takes from the score; 0 never. */
  readonly quality: { readonly ttftPenaltyMs: number };
  /** What happens once the budget of the month is spent. */
  readonly hardLimitAction: HardLimitAction;
  /** Share of a model's candidates that breakers and quality may put out, per cent. */
  readonly ejectedPercent: number;
  /** What strategy `cost` goes by, the first rule that fits; empty for every other strategy. */
  readonly prices: readonly PriceRule[];
  readonly splits: readonly TrafficSplit[];
  readonly shadows: readonly ShadowRule[];
  readonly shadow: ShadowLimits;
  readonly degradation: DegradationSettings;
};

/** What a fleet that is told nothing else runs by. */
export const usualSettings: RoutingSettings = {
  strategy: 'smart',
  weights: { priority: 50, load: 30, latency: 20 },
  maxRetries: 2,
  aliases: {},
  fallbacks: {},
  policies: [],
  backendWeights: {},
  regions: {},
  backendRegions: {},
  affinity: usualAffinity,
  quality: { ttftPenaltyMs: 0 },
  hardLimitAction: 'warn',
  ejectedPercent: 50,
  prices: [],
  splits: [],
  shadows: [],
  shadow: { queueSize: 100, inFlight: 2, timeoutSeconds: 120 },
  degradation: { enabled: false, maxAgeSeconds: 300, cacheMb: 32, restricted: false },
};

/** A backend that lists the model, with what it says of the model. */
export type Offer = { readonly target: Target; readonly model: Model; readonly isCloud: boolean };

/** Model id -> its offers, in the order of the ids of their targets; never an empty list. */
export interface OffersByModel extends Iterable<readonly [string, readonly Offer[]]> {
  readonly size: number;
  get(modelId: string): readonly Offer[] | undefined;
  has(modelId: string): boolean;
}

export type RoutingSnapshot = {
  readonly version: number;
  /** In the order of their ids. */
  readonly targets: readonly Target[];
  readonly byModel: OffersByModel;
  readonly settings: RoutingSettings;
};

export function buildSnapshot(
  version: number,
  targets: readonly Target[],
  settings: RoutingSettings,
): RoutingSnapshot {
  const byModel = new Map<string, Offer[]>();
  // By id, so that a cursor means the same backend on every thread and after every start.
  const ordered = [...targets].sort((a, b) => compareText(a.id, b.id));
  for (const target of ordered) {
    const isCloud = isCloudType(target.backendType);
    for (const model of target.models) {
      const offers = byModel.get(model.id);
      const offer = { target, model, isCloud };
      if (offers === undefined) byModel.set(model.id, [offer]);
      else offers.push(offer);
    }
  }
  return { version, targets: ordered, byModel, settings };
}

const maxAliasHops = 3;

/** The model id that a name means: a real model wins over an alias; at most three hops. */
export function resolveModel(snapshot: RoutingSnapshot, name: string): string {
  let current = name;
  for (let hop = 0; hop < maxAliasHops; hop++) {
    if (snapshot.byModel.has(current)) return current;
    if (!Object.hasOwn(snapshot.settings.aliases, current)) return current;
    current = snapshot.settings.aliases[current] as string;
  }
  return current;
}
