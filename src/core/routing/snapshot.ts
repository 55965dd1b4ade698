// What a decision sees of the fleet: an immutable list of backends with an index by model, and the
// routing settings. Threads swap the whole object; a request keeps the one it began with.

import { type BackendType, isCloudType } from '../../base/backend-type.ts';
import type { BackendId } from '../../base/brand.ts';
import { compareText } from '../../base/compare.ts';
import type { BackendStatus, Model, PrivacyZone } from '../backends/backend.ts';
import type { ModelClosure } from '../backends/operation.ts';

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
};

export const strategies = ['smart', 'round_robin', 'priority_only', 'random'] as const;
export type Strategy = (typeof strategies)[number];

export type RoutingSettings = {
  readonly strategy: Strategy;
  /** Weights of the smart score; they sum to 100. */
  readonly weights: { readonly priority: number; readonly load: number; readonly latency: number };
  /** Further attempts after the first. */
  readonly maxRetries: number;
  readonly aliases: Readonly<Record<string, string>>;
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
