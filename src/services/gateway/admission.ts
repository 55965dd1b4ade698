// What the edge hands over, and from a whole body to what a decision needs: is it a request that this key may make of a model
// that somebody lists? What goes upstream is the body byte for byte, but for the name of the model.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { err, ok, type Result } from '../../base/result.ts';
import type { PriorityClass } from '../../core/jobs/priority-class.ts';
import type { AdmissionReading, AdmissionVerdict } from '../../core/policy/admission.ts';
import { isKnownModel } from '../../core/routing/decide.ts';
import type { RouteFeatures } from '../../core/routing/decision-input.ts';
import { ruleOf } from '../../core/routing/model-rule.ts';
import { type RoutingSnapshot, resolveModel } from '../../core/routing/snapshot.ts';
import { armOf, type SplitAssignment, splitFor } from '../../core/routing/split.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { KeyRecord } from '../../io/credentials/key-table.ts';
import type { HeadFacts } from '../../protocol/http/head-check.ts';
import type { RequestFeatures, RequestKind } from '../../protocol/openai/request-body.ts';
import type { AffinityKeys } from './affinity-key.ts';
import type { Connection } from './connection.ts';
import type { FaceExchange } from './face-exchange.ts';
import { limitRefusal } from './limit-refusal.ts';
import { mayUseModel, modelNotFound } from './model-list.ts';

/** What the edge hands over once the head is checked and the key is good. */
export type AdmittedHead = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly clientRequestId: string | undefined;
  /** The client's, only if it is valid. */
  readonly traceparent: string | undefined;
  readonly key: KeyRecord;
  readonly kind: RequestKind;
  /** The path on the engine, from a fixed table. */
  readonly enginePath: string;
  /** Monotonic ms at which the head was complete. */
  readonly receivedMs: number;
  readonly connection: Connection;
  readonly priorityClass: PriorityClass;
  readonly hints: RouteHints;
  /** Set where the client speaks another interface than OpenAI's. */
  readonly face: FaceExchange | undefined;
  /** A line of an OpenAI batch: it takes what is left over, so it never waits and is never hedged. */
  readonly isBatch: boolean;
};

/** What the head of a request says of where it wants to go. */
export type RouteHints = Pick<
  HeadFacts,
  'affinity' | 'region' | 'mayUseLowerTier' | 'mayShadow' | 'annotations'
>;

/**
 * Characters of a prompt by which it is told from others: some 256 tokens (gateways research 5.5). More
 * would tell the prompts of the Mooncake trace apart, which all begin with the same 512 tokens, and
 * tear apart those that share a system prompt of a page (docs/benchmarks.md, routing).
 */
const prefixCharacters = 1024;

/** Characters of the beginning of a prompt that the strategy asks for. */
export function prefixMaxOf({ settings }: RoutingSnapshot): number {
  return settings.strategy === 'prefix_affinity' ? prefixCharacters : 0;
}

/** A refused body up to this length is read and dropped, so that the connection can go on. */
const droppedBodyBytes = 65_536;

export type Admitted = {
  readonly route: RouteFeatures;
  /** Models that may stand in, in order. */
  readonly fallbacks: readonly string[];
};

/** Is the body so short that reading it costs less than a new connection? */
export function isShortBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return length !== undefined && Number(length) <= droppedBodyBytes;
}

/** What the client is told of a verdict; undefined when its request is admitted. */
export function admissionRefusal(
  verdict: AdmissionVerdict,
  reading: AdmissionReading,
  cooldownSeconds: number,
): Refusal | undefined {
  switch (verdict) {
    case 'admitted':
      return undefined;
    case 'key_limit': {
      if (reading.limit !== undefined) return limitRefusal(reading.limit);
      const words = `${reading.keyInFlightMax} requests of this key are in flight, its limit. Wait for one to finish.`;
      return refusal('rate_limit_exceeded', words);
    }
    case 'mode': {
      const words = `The serving mode is ${reading.mode}: only the most urgent class is admitted.`;
      const retryAfterSeconds = Math.min(Math.max(cooldownSeconds, 1), 60);
      return refusal('mode_restricted', words, { retryAfterSeconds });
    }
    case 'shed': {
      const share = reading.inFlight > reading.inFlightMax ? '' : '80 % of ';
      const words = `The installation takes ${share}${reading.inFlightMax} requests at once in mode ${reading.mode}.`;
      return refusal('overloaded', words);
    }
  }
}

/**
 * What is asked of whom. A model that nobody lists is passed over for those that may stand in for it.
 * Refuses with `model_not_found`, the same for an unknown and for a forbidden model.
 */
export function admit(
  snapshot: RoutingSnapshot,
  head: Pick<AdmittedHead, 'key' | 'hints' | 'requestId'>,
  features: RequestFeatures,
  affinity: AffinityKeys,
): Result<Admitted, Refusal> {
  const { key, hints } = head;
  const { model } = features;
  const named = resolveModel(snapshot, model);
  if (!mayUseModel(key, model)) return err(modelNotFound(snapshot, key, model));
  const drawn = drawnArm(snapshot, head, features, named, affinity);
  const asked = drawn?.model ?? named;
  const chain = [asked, ...standInsOf(snapshot, asked, named)].filter(
    (id) => isKnownModel(snapshot, id) && (id === asked || id === named || mayUseModel(key, id)),
  );
  const [resolvedModel, ...fallbacks] = chain;
  if (resolvedModel === undefined) return err(modelNotFound(snapshot, key, model));
  const route = {
    model,
    resolvedModel,
    operation: features.kind,
    estimatedTokens: features.estimatedTokens,
    maxOutputTokens: features.maxOutputTokens,
    needsVision: features.needsVision,
    needsTools: features.needsTools,
    needsJsonMode: features.needsJsonMode,
    remoteMedia: features.remoteMedia,
    prefixKey: affinity.keyOf(key.groupName, resolvedModel, features.prefix),
    affinityKey: sessionKey(snapshot, head, features, affinity),
    region: hints.region,
    mayUseLowerTier: hints.mayUseLowerTier,
    restrictedOnly: key.isRestrictedOnly === true,
    isFallback: resolvedModel !== asked,
    split: drawn?.split,
  };
  return ok({ route, fallbacks });
}

/**
 * The arm that an experiment for the model gives to this client, by its session, else its user, else this
 * request alone. Undefined also where the key may not use the model of the arm: it is then no part of
 * the experiment.
 */
function drawnArm(
  snapshot: RoutingSnapshot,
  { key, hints, requestId }: Pick<AdmittedHead, 'key' | 'hints' | 'requestId'>,
  features: RequestFeatures,
  named: string,
  affinity: AffinityKeys,
): { readonly model: string; readonly split: SplitAssignment } | undefined {
  const split = splitFor(snapshot.settings.splits, named);
  if (split === undefined) return undefined;
  const sticky = hints.affinity || features.session || requestId;
  const stickyHash = affinity.keyOf(key.groupName, '', sticky) ?? 0;
  const arm = armOf(split, stickyHash);
  if (arm === undefined || !mayUseModel(key, arm.model)) return undefined;
  return {
    model: resolveModel(snapshot, arm.model),
    split: { experiment: split.name, arm: arm.name, stickyHash },
  };
}

/** Models that stand in: those of the model itself, then the one that an experiment took it from. */
function standInsOf(snapshot: RoutingSnapshot, asked: string, named: string): readonly string[] {
  const own = fallbacksOf(snapshot, asked);
  if (asked === named || own.includes(named)) return own;
  return ruleOf(snapshot.settings.policies, asked)?.fallbackAllowed === false
    ? own
    : [...own, named];
}

/** Models that stand in for this one, unless its rule forbids it. */
function fallbacksOf({ settings }: RoutingSnapshot, model: string): readonly string[] {
  const { fallbacks, policies } = settings;
  // Hardly any model has some.
  const own = Object.hasOwn(fallbacks, model) ? fallbacks[model] : undefined;
  if (own === undefined || ruleOf(policies, model)?.fallbackAllowed === false) return noModels;
  return own;
}

const noModels: readonly string[] = [];

function sessionKey(
  { settings }: RoutingSnapshot,
  { key, hints }: Pick<AdmittedHead, 'key' | 'hints'>,
  features: RequestFeatures,
  affinity: AffinityKeys,
): number | undefined {
  if (settings.strategy !== 'sticky') return undefined;
  return affinity.keyOf(key.groupName, '', hints.affinity ?? features.session ?? '');
}

/** Every model that was asked in vain; `first` is why the first one took nothing. */
export function fallbackExhausted(chain: readonly string[], first: Refusal): Refusal {
  const words = `No backend of ${chain.map((id) => `“${id}”`).join(', ')} takes requests now: ${first.message}`;
  return refusal('fallback_exhausted', words);
}
