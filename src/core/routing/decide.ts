// Which backend serves this request, and why not each other one. A pure function of what it is
// given: the same snapshot, counters, features, exclusions, cursor and seed give the same decision,
// on any machine, in any year.
//
// Stages run in a fixed order; each may only exclude, and keeps its reason. What emptied the set
// decides the refusal (specification BR 11): nobody lists the model -> 404; listed but nobody can
// do what is asked -> 400; able ones exist but none is healthy -> 503; all full -> 503 at_capacity;
// all are loading or unloading the model -> 503 models_loading.

import { type ApiOperation, canDo } from '../../base/api-operation.ts';
import { assert } from '../../base/assert.ts';
import { seededRandom } from '../../base/random.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import { smartScore } from './score.ts';
import type { Offer, RoutingSnapshot, Target } from './snapshot.ts';

/** What the request needs. */
export type RouteFeatures = {
  /** As the client wrote it. */
  readonly model: string;
  /** After aliases. */
  readonly resolvedModel: string;
  /** The interface that the client uses. */
  readonly operation: ApiOperation;
  readonly estimatedTokens: number;
  readonly maxOutputTokens: number | undefined;
  readonly needsVision: boolean;
  readonly needsTools: boolean;
  readonly needsJsonMode: boolean;
  readonly remoteMedia: boolean;
};

/** Live figures by arena slot. */
export interface CounterSource {
  pending(slot: number): number;
  capacityOf(slot: number): number;
  latencyMs(slot: number): number;
  /** Status code of the arena: 1 is healthy. It may be ahead of the snapshot. */
  statusCode(slot: number): number;
  generationOf(slot: number): number;
}

export type DecideInput = {
  /** Backends that an earlier attempt of this request has tried. */
  readonly tried: readonly string[];
  /** Value of the shared round-robin cursor. */
  readonly cursor: number;
  /** Seed of this decision's own randomness. */
  readonly seed: number;
};

export const stages = [
  'media',
  'capabilities',
  'context',
  'approval',
  'lifecycle',
  'health',
  'capacity',
  'attempted',
] as const;
export type Stage = (typeof stages)[number];

/** The live figures of one backend, each read once for one decision. */
export type Reading = {
  /** Is the slot still this backend's? */
  readonly isCurrent: boolean;
  /** Status code of the arena, 0 to 3; 1 is healthy. */
  readonly statusCode: number;
  /** Requests in flight. */
  readonly pending: number;
  /** Concurrent requests; 0 when not known. */
  readonly capacity: number;
  /** First-byte latency, ms; 0 when never measured. */
  readonly latencyMs: number;
};

/** One backend that lists the model, and what became of it. */
export type Consideration = {
  readonly target: Target;
  readonly reading: Reading;
  /** Undefined for an excluded backend. */
  readonly score: number | undefined;
  readonly stage: Stage | undefined;
  /** Why it was excluded; empty for a candidate. */
  readonly reason: string;
};

export type RouteReason =
  | 'capability-match'
  | 'capacity-overflow'
  | 'privacy-requirement'
  | 'failover';

export type Decision =
  | {
      readonly kind: 'route';
      readonly target: Target;
      readonly score: number;
      /** `highest_score:{name}:{score}` and the like. */
      readonly reason: string;
      readonly routeReason: RouteReason;
      readonly considered: readonly Consideration[];
    }
  | {
      readonly kind: 'refuse';
      readonly refusal: Refusal;
      readonly considered: readonly Consideration[];
    };

const healthyCode = 1;
const statusWords = ['not probed yet', 'healthy', 'unhealthy', 'draining'] as const;

type Exclusion = { readonly stage: Stage; readonly reason: string };

/** What the backend's model lacks for this request; undefined when it can serve it. */
function lacks(offer: Offer, features: RouteFeatures): Exclusion | undefined {
  const { model } = offer;
  if (features.remoteMedia && !offer.isCloud) {
    return { stage: 'media', reason: 'a self-hosted engine would fetch the remote media' };
  }
  if (!canDo(offer.target.backendType, features.operation)) {
    return { stage: 'capabilities', reason: features.operation };
  }
  if (features.needsVision && !model.supportsVision) {
    return { stage: 'capabilities', reason: 'vision' };
  }
  if (features.needsTools && !model.supportsTools) {
    return { stage: 'capabilities', reason: 'tools' };
  }
  if (features.needsJsonMode && !model.supportsJsonMode) {
    return { stage: 'capabilities', reason: 'json_mode' };
  }
  const needed = features.estimatedTokens + (features.maxOutputTokens ?? 0);
  if (needed > model.contextLength) {
    return {
      stage: 'context',
      reason: `needs ${needed} tokens (${features.estimatedTokens} in, ${features.maxOutputTokens ?? 0} out), has ${model.contextLength}`,
    };
  }
  return undefined;
}

function read(counters: CounterSource, target: Target): Reading {
  const { slot } = target;
  return {
    isCurrent: counters.generationOf(slot) === target.generation,
    statusCode: counters.statusCode(slot),
    pending: counters.pending(slot),
    capacity: counters.capacityOf(slot),
    latencyMs: counters.latencyMs(slot),
  };
}

/** Why an able backend takes nothing now; undefined when it does. */
function unavailable(
  { target, model }: Offer,
  reading: Reading,
  tried: readonly string[],
): Exclusion | undefined {
  if (!target.approved) return { stage: 'approval', reason: 'discovered, waits for approval' };
  // Hardly ever has any.
  for (const { modelId, reason } of target.closures) {
    if (modelId === model.id) return { stage: 'lifecycle', reason };
  }
  if (!reading.isCurrent) return { stage: 'health', reason: 'removed' };
  const { statusCode, capacity, pending } = reading;
  if (statusCode !== healthyCode) {
    const words = statusWords[statusCode] ?? 'unknown';
    const why = target.statusReason === undefined ? words : `${words}: ${target.statusReason}`;
    return { stage: 'health', reason: why };
  }
  if (capacity > 0 && pending >= capacity) {
    return { stage: 'capacity', reason: `at_capacity: ${pending} of ${capacity} in flight` };
  }
  if (tried.includes(target.id)) return { stage: 'attempted', reason: 'tried by this request' };
  return undefined;
}

function refuse(
  features: RouteFeatures,
  considered: readonly Consideration[],
  maxContext: number,
): Decision {
  const model = features.model;
  const at = (stage: Stage): readonly Consideration[] =>
    considered.filter((item) => item.stage === stage);
  const able = considered.filter(
    (item) => item.stage !== 'media' && item.stage !== 'capabilities' && item.stage !== 'context',
  );
  if (able.length === 0) {
    const missing = [...new Set(at('capabilities').map((item) => item.reason))];
    if (missing.length > 0) {
      const words = `No backend of “${model}” has what the request needs: ${missing.join(', ')}.`;
      return {
        kind: 'refuse',
        refusal: refusal('capability_mismatch', words, { param: 'model' }),
        considered,
      };
    }
    if (at('context').length > 0) {
      const output = features.maxOutputTokens ?? 0;
      const words = `max_tokens ${output} + prompt ${features.estimatedTokens} = ${output + features.estimatedTokens} exceeds ${maxContext}, the largest context any backend has for “${model}”.`;
      return {
        kind: 'refuse',
        refusal: refusal('context_length_exceeded', words, { param: 'messages' }),
        considered,
      };
    }
    const words =
      'Remote media would be fetched by the engine itself. Send the data as a data: URL.';
    return {
      kind: 'refuse',
      refusal: refusal('remote_media_refused', words, { param: 'messages' }),
      considered,
    };
  }
  if (at('lifecycle').length === able.length) {
    const words = `Every backend that could serve “${model}” is loading or unloading it.`;
    return { kind: 'refuse', refusal: refusal('models_loading', words), considered };
  }
  if (at('capacity').length > 0 && at('attempted').length === 0) {
    const words = `Every backend of “${model}” that takes requests is at its capacity.`;
    return { kind: 'refuse', refusal: refusal('at_capacity', words), considered };
  }
  const words = `${able.length} of ${considered.length} backends could serve “${model}”, none takes requests now.`;
  return { kind: 'refuse', refusal: refusal('no_healthy_backend', words), considered };
}

type Scored = Consideration & { readonly score: number };

function scoreOf(target: Target, reading: Reading, settings: RoutingSnapshot['settings']): number {
  const { priority } = target;
  if (settings.strategy === 'priority_only') return -priority;
  const { pending, capacity, latencyMs } = reading;
  return smartScore({ priority, pending, capacity, latencyMs }, settings.weights);
}

/** The index of the chosen one; `scored` is not empty and in snapshot order. */
function pick(scored: readonly Scored[], snapshot: RoutingSnapshot, input: DecideInput): number {
  switch (snapshot.settings.strategy) {
    case 'round_robin':
      return input.cursor % scored.length;
    case 'random':
      return seededRandom(input.seed).nextBelow(scored.length);
    case 'smart':
    case 'priority_only':
      break;
  }
  let best = 0;
  let ties = 1;
  for (let i = 1; i < scored.length; i++) {
    const a = scored[i] as Scored;
    const b = scored[best] as Scored;
    const fewer = a.reading.pending < b.reading.pending;
    if (a.score > b.score || (a.score === b.score && fewer)) {
      best = i;
      ties = 1;
    } else if (a.score === b.score && a.reading.pending === b.reading.pending) {
      ties++;
    }
  }
  if (ties === 1) return best;
  const top = scored[best] as Scored;
  let skip = input.cursor % ties;
  for (let i = 0; i < scored.length; i++) {
    const item = scored[i] as Scored;
    const isLevel = item.score === top.score && item.reading.pending === top.reading.pending;
    if (!isLevel) continue;
    if (skip === 0) return i;
    skip--;
  }
  return best;
}

function reasonOf(chosen: Scored, count: number, index: number, snapshot: RoutingSnapshot): string {
  const { name, priority } = chosen.target;
  if (count === 1) return 'only_healthy_backend';
  switch (snapshot.settings.strategy) {
    case 'smart':
      return `highest_score:${name}:${(chosen.score / 100).toFixed(2)}`;
    case 'round_robin':
      return `round_robin:index_${index}`;
    case 'priority_only':
      return `priority:${name}:${priority}`;
    case 'random':
      return `random:${name}`;
  }
}

/** Lists of a model nobody offers: the caller turns this into 404 with the ids the key may use. */
export function isKnownModel(snapshot: RoutingSnapshot, resolvedModel: string): boolean {
  return snapshot.byModel.has(resolvedModel);
}

/** Decides. The model must be known (see {@link isKnownModel}). */
export function decide(
  snapshot: RoutingSnapshot,
  counters: CounterSource,
  features: RouteFeatures,
  input: DecideInput,
): Decision {
  const offers = snapshot.byModel.get(features.resolvedModel);
  assert(offers !== undefined, `decide for a model nobody lists: ${features.resolvedModel}`);
  const scored: Scored[] = [];
  const considered: Consideration[] = [];
  let maxContext = 0;
  let overflowed = false;
  for (const offer of offers) {
    const { target } = offer;
    maxContext = Math.max(maxContext, offer.model.contextLength);
    const reading = read(counters, target);
    const exclusion = lacks(offer, features) ?? unavailable(offer, reading, input.tried);
    if (exclusion !== undefined) {
      const { stage, reason } = exclusion;
      overflowed ||= stage === 'capacity';
      considered.push({ target, reading, score: undefined, stage, reason });
      continue;
    }
    const score = scoreOf(target, reading, snapshot.settings);
    const candidate: Scored = { target, reading, score, stage: undefined, reason: '' };
    scored.push(candidate);
    considered.push(candidate);
  }
  if (scored.length === 0) return refuse(features, considered, maxContext);
  const index = scored.length === 1 ? 0 : pick(scored, snapshot, input);
  const chosen = scored[index] as Scored;
  return {
    kind: 'route',
    target: chosen.target,
    score: chosen.score,
    reason: reasonOf(chosen, scored.length, index, snapshot),
    routeReason:
      input.tried.length > 0 ? 'failover' : overflowed ? 'capacity-overflow' : 'capability-match',
    considered,
  };
}

const suggestions: Readonly<Record<Stage, string>> = {
  media: 'send the media as a data: URL',
  capabilities: 'use a model with this capability, or set it on the backend',
  context: 'shorten the prompt or lower max_tokens',
  approval: 'tensorforge backends approve ID',
  lifecycle: 'wait until the operation is over: tensorforge backends show ID',
  health: 'tensorforge explain backend ID',
  capacity: 'add a backend, or raise its capacity',
  attempted: 'none: it failed this request already',
};

export function suggestedAction(stage: Stage, backendId: string): string {
  return suggestions[stage].replace('ID', backendId);
}
