// Which backend serves this request, and why not each other one. A pure function of what it is
// given: the same snapshot, counters, features, exclusions, cursor and seed give the same decision,
// on any machine, in any year.
//
// Stages run in a fixed order; each may only exclude, and keeps its reason; the routing policy ranks
// what is left and picks one of it. What emptied the set decides the refusal (specification BR 11):
// nobody lists the model -> 404; listed but nobody can do what is asked -> 400; a rule for the model
// leaves nobody -> 503 privacy_requirement or tier_unavailable; able ones exist but none is healthy ->
// 503; all full -> 503 at_capacity; all are loading or unloading the model -> 503 models_loading.
//
// Breakers and quality put out at most a share of those that could serve, and never the last one.

import { canDo } from '../../base/api-operation.ts';
import { assert } from '../../base/assert.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import { currentBehaviour } from '../decisions/behaviour.ts';
import {
  type BudgetStatus,
  type CounterSource,
  type DecideInput,
  gates,
  type Reading,
  type RouteFeatures,
} from './decision-input.ts';
import { type ModelRule, ruleOf } from './model-rule.ts';
import { policyOf } from './policies/policies.ts';
import type { Candidate } from './policies/routing-policy.ts';
import type { Offer, RoutingSettings, RoutingSnapshot, Target } from './snapshot.ts';

export const stages = [
  'media',
  'capabilities',
  'context',
  'privacy',
  'tier',
  'approval',
  'lifecycle',
  'health',
  'budget',
  'weight',
  'breaker',
  'quality',
  'capacity',
  'attempted',
] as const;
export type Stage = (typeof stages)[number];

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
      /** Where the target stands in `considered`, and its offer among the offers of the model. */
      readonly chosen: number;
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

/** What a rule for the model, or the key, forbids. */
function forbidden(
  { target }: Offer,
  rule: ModelRule | undefined,
  features: RouteFeatures,
): Exclusion | undefined {
  const isRestricted = features.restrictedOnly || rule?.privacy === 'restricted';
  if (isRestricted && target.zone === 'open') {
    return { stage: 'privacy', reason: 'in the open zone, and the restricted one is asked for' };
  }
  const minTier = rule?.minTier ?? 0;
  if (target.tier < minTier && !(features.mayUseLowerTier && rule?.fallbackAllowed === true)) {
    return { stage: 'tier', reason: `tier ${target.tier}, at least ${minTier} is asked for` };
  }
  return undefined;
}

/** Why an able backend takes nothing now; undefined when it does. */
function unavailable({ target, model }: Offer, reading: Reading): Exclusion | undefined {
  if (!target.approved) return { stage: 'approval', reason: 'discovered, waits for approval' };
  // Hardly ever has any.
  for (const { modelId, reason } of target.closures) {
    if (modelId === model.id) return { stage: 'lifecycle', reason };
  }
  if (!reading.isCurrent) return { stage: 'health', reason: 'removed' };
  const { statusCode } = reading;
  if (statusCode === healthyCode) return undefined;
  const words = statusWords[statusCode] ?? 'unknown';
  const why = target.statusReason === undefined ? words : `${words}: ${target.statusReason}`;
  return { stage: 'health', reason: why };
}

/** What the settings leave out: no money for it, or no share of the turns. */
function unaffordable(
  { target }: Offer,
  settings: RoutingSettings,
  budget: BudgetStatus,
): Exclusion | undefined {
  const { hardLimitAction, strategy, backendWeights } = settings;
  if (budget === 'HardLimit' && hardLimitAction !== 'warn') {
    const isBlocked = hardLimitAction === 'block_all' || target.zone === 'open';
    if (isBlocked) return { stage: 'budget', reason: 'the budget of the month is spent' };
  }
  if (strategy === 'weighted' && Object.hasOwn(backendWeights, target.id)) {
    if (backendWeights[target.id] === 0) return { stage: 'weight', reason: 'its weight is 0' };
  }
  return undefined;
}

/** What puts a backend out for a while; undefined also where a probe may go through. */
function heldBack({ gates: bits }: Reading): Exclusion | undefined {
  const breaker = bits & gates.breaker;
  if (breaker === gates.breakerOpen) return { stage: 'breaker', reason: 'its breaker is open' };
  if (breaker === gates.probesOut) {
    return { stage: 'breaker', reason: 'its breaker is half open, and its probe is out' };
  }
  if ((bits & gates.quality) !== 0) {
    return { stage: 'quality', reason: 'too many of its requests of the last hour failed' };
  }
  return undefined;
}

function full({ pending, capacity }: Reading): Exclusion | undefined {
  if (capacity === 0 || pending < capacity) return undefined;
  return { stage: 'capacity', reason: `at_capacity: ${pending} of ${capacity} in flight` };
}

const wasTried: Exclusion = { stage: 'attempted', reason: 'tried by this request' };

function refuse(
  features: RouteFeatures,
  considered: readonly Consideration[],
  maxContext: number,
): Decision {
  const cause = refusalOf(features, considered, maxContext);
  return { kind: 'refuse', refusal: cause, considered };
}

const beforeRules: ReadonlySet<Stage | undefined> = new Set(['media', 'capabilities', 'context']);

function refusalOf(
  features: RouteFeatures,
  considered: readonly Consideration[],
  maxContext: number,
): Refusal {
  const { model } = features;
  const able = considered.filter(({ stage }) => !beforeRules.has(stage));
  if (able.length === 0) return unableRefusal(features, considered, maxContext);
  const allowed = able.filter(({ stage }) => stage !== 'privacy' && stage !== 'tier');
  if (allowed.length === 0) return ruleRefusal(model, able);
  const has = (stage: Stage): boolean => allowed.some((item) => item.stage === stage);
  const isAll = (stage: Stage): boolean => allowed.every((item) => item.stage === stage);
  if (isAll('lifecycle')) {
    const words = `Every backend that could serve “${model}” is loading or unloading it.`;
    return refusal('models_loading', words);
  }
  if (isAll('budget')) {
    return refusal(
      'budget_exhausted',
      'The budget of the month is spent, and spending is blocked.',
    );
  }
  if (has('capacity') && !has('attempted')) {
    const words = `Every backend of “${model}” that takes requests is at its capacity.`;
    return refusal('at_capacity', words);
  }
  const words = `${allowed.length} of ${considered.length} backends could serve “${model}”, none takes requests now.`;
  return refusal('no_healthy_backend', words);
}

/** Nobody of those that list the model can do what is asked. */
function unableRefusal(
  features: RouteFeatures,
  considered: readonly Consideration[],
  maxContext: number,
): Refusal {
  const { model } = features;
  const at = (stage: Stage): readonly Consideration[] =>
    considered.filter((item) => item.stage === stage);
  const missing = [...new Set(at('capabilities').map((item) => item.reason))];
  if (missing.length > 0) {
    const words = `No backend of “${model}” has what the request needs: ${missing.join(', ')}.`;
    return refusal('capability_mismatch', words, { param: 'model' });
  }
  if (at('context').length > 0) {
    const output = features.maxOutputTokens ?? 0;
    const words = `max_tokens ${output} + prompt ${features.estimatedTokens} = ${output + features.estimatedTokens} exceeds ${maxContext}, the largest context any backend has for “${model}”.`;
    return refusal('context_length_exceeded', words, { param: 'messages' });
  }
  const words = 'Remote media would be fetched by the engine itself. Send the data as a data: URL.';
  return refusal('remote_media_refused', words, { param: 'messages' });
}

/** A rule for the model leaves nobody of those that could serve it. */
function ruleRefusal(model: string, able: readonly Consideration[]): Refusal {
  if (able.every(({ stage }) => stage === 'privacy')) {
    const words = `“${model}” is to stay in the restricted zone, where no backend has it.`;
    return refusal('privacy_requirement', words);
  }
  const words = `No backend of “${model}” has the tier that its rule asks for.`;
  return refusal('tier_unavailable', words);
}

/** One offer on its way through the stages. */
type Considered = { -readonly [Member in keyof Consideration]: Consideration[Member] };
type Ranked = Considered & Candidate;

function isRanked(item: Considered): item is Ranked {
  return item.score !== undefined;
}

/** A decision while it is made. */
class Making {
  readonly #snapshot: RoutingSnapshot;
  readonly #features: RouteFeatures;
  readonly #input: DecideInput;
  readonly #rule: ModelRule | undefined;
  readonly considered: Considered[] = [];
  readonly candidates: Ranked[] = [];
  maxContext = 0;
  overflowed = false;
  /** Those that a breaker or their quality holds back, and nothing else. */
  readonly #held: Considered[] = [];
  #rulesOut = 0;

  constructor(snapshot: RoutingSnapshot, features: RouteFeatures, input: DecideInput) {
    this.#snapshot = snapshot;
    this.#features = features;
    this.#input = input;
    this.#rule = ruleOf(snapshot.settings.policies, features.resolvedModel);
  }

  /** Did a rule leave somebody out who could have served it? */
  get isRuled(): boolean {
    return this.#rulesOut > 0;
  }

  consider(offer: Offer, reading: Reading): void {
    this.maxContext = Math.max(this.maxContext, offer.model.contextLength);
    const item: Considered = {
      target: offer.target,
      reading,
      score: undefined,
      stage: undefined,
      reason: '',
    };
    this.considered.push(item);
    const { settings } = this.#snapshot;
    const exclusion =
      lacks(offer, this.#features) ??
      forbidden(offer, this.#rule, this.#features) ??
      unavailable(offer, reading) ??
      unaffordable(offer, settings, this.#input.budget) ??
      full(reading) ??
      (this.#input.tried.includes(offer.target.id) ? wasTried : undefined);
    if (exclusion !== undefined) {
      this.#exclude(item, exclusion);
      return;
    }
    item.score = 0;
    if (isRanked(item)) this.candidates.push(item);
    if (reading.gates !== 0 && heldBack(reading) !== undefined) this.#held.push(item);
  }

  #exclude(item: Considered, { stage, reason }: Exclusion): void {
    item.score = undefined;
    item.stage = stage;
    item.reason = reason;
    if (stage === 'capacity') this.overflowed = true;
    if (stage === 'privacy') this.#rulesOut++;
  }

  /**
   * Puts out what breakers and quality hold back: at most the share of the settings of those that
   * could serve, and never all. Those let in again come first by their draw of the decision's own
   * number, so that not one backend alone gets what the others would have had.
   */
  eject(): void {
    if (this.#held.length === 0) return;
    const all = this.candidates.length;
    const { ejectedPercent } = this.#snapshot.settings;
    const most = Math.min(Math.floor((all * ejectedPercent) / 100), all - 1);
    const spared = this.#held.length - most;
    const from = spared > 0 ? this.#input.cursor % this.#held.length : 0;
    for (let i = 0; i < this.#held.length; i++) {
      const item = this.#held[(from + i) % this.#held.length] as Considered;
      if (i < spared) continue;
      const exclusion = heldBack(item.reading);
      if (exclusion !== undefined) this.#exclude(item, exclusion);
    }
    const kept = this.candidates.filter(({ stage }) => stage === undefined);
    this.candidates.splice(0, all, ...kept);
  }
}

/** Lists of a model nobody offers: the caller turns this into 404 with the ids the key may use. */
export function isKnownModel(snapshot: RoutingSnapshot, resolvedModel: string): boolean {
  return snapshot.byModel.has(resolvedModel);
}

/** Decides, as of a behaviour. The model must be known (see {@link isKnownModel}). */
export function decide(
  snapshot: RoutingSnapshot,
  counters: CounterSource,
  features: RouteFeatures,
  input: DecideInput,
  asOf: number = currentBehaviour,
): Decision {
  const offers = snapshot.byModel.get(features.resolvedModel);
  assert(offers !== undefined, `decide for a model nobody lists: ${features.resolvedModel}`);
  const { settings } = snapshot;
  const policy = policyOf(settings.strategy);
  const making = new Making(snapshot, features, input);
  for (const offer of offers) making.consider(offer, counters.read(offer, policy.reads));
  making.eject();
  const { candidates, considered } = making;
  if (candidates.length === 0) return refuse(features, considered, making.maxContext);
  const choice = { features, input, settings, asOf };
  policy.rank(candidates, choice);
  const isOnly = candidates.length === 1;
  const index = isOnly ? 0 : policy.pick(candidates, choice);
  const chosen = candidates[index] as Ranked;
  return {
    kind: 'route',
    target: chosen.target,
    score: chosen.score,
    reason: `${prefixOf(features)}${isOnly ? 'only_healthy_backend' : policy.reason(chosen, index, choice)}`,
    routeReason: routeReasonOf(features, input, making),
    considered,
    chosen: considered.indexOf(chosen),
  };
}

function prefixOf({ isFallback, resolvedModel }: RouteFeatures): string {
  return isFallback ? `fallback:${resolvedModel}:` : '';
}

function routeReasonOf(
  { isFallback }: RouteFeatures,
  input: DecideInput,
  making: Making,
): RouteReason {
  if (input.tried.length > 0 || isFallback) return 'failover';
  if (making.isRuled) return 'privacy-requirement';
  return making.overflowed ? 'capacity-overflow' : 'capability-match';
}

const suggestions: Readonly<Record<Stage, string>> = {
  media: 'send the media as a data: URL',
  capabilities: 'use a model with this capability, or set it on the backend',
  context: 'shorten the prompt or lower max_tokens',
  privacy: 'none: the rule of the model, or the key, keeps it inside',
  tier: 'raise the tier of the backend, or lower min_tier of the rule',
  approval: 'tensorforge backends approve ID',
  lifecycle: 'wait until the operation is over: tensorforge backends show ID',
  health: 'tensorforge explain backend ID',
  budget: 'raise budget.monthly_limit_usd, or wait for the next month',
  weight: 'give it a weight in routing.backend_weights',
  breaker: 'tensorforge breakers list',
  quality: 'tensorforge explain backend ID',
  capacity: 'add a backend, or raise its capacity',
  attempted: 'none: it failed this request already',
};

export function suggestedAction(stage: Stage, backendId: string): string {
  return suggestions[stage].replace('ID', backendId);
}
