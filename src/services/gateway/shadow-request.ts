// From a request that was answered to the copy of it: may there be one, who takes it, and what is sent.

import { hash, randomUUIDv7 } from 'node:crypto';
import { decide, isKnownModel } from '../../core/routing/decide.ts';
import type { RouteFeatures } from '../../core/routing/decision-input.ts';
import { ruleOf } from '../../core/routing/model-rule.ts';
import { type RoutingSnapshot, resolveModel, type Target } from '../../core/routing/snapshot.ts';
import { attemptCall } from './attempt-translation.ts';
import type { GatewayContext } from './context.ts';
import type { Routed } from './request-routing.ts';
import { RequestSpend } from './request-spend.ts';
import { hasSideEffects, shadowBody } from './shadow-body.ts';
import type { CopyRequest } from './shadow-copy.ts';
import type {
  PrimaryEnd,
  ShadowedRequest,
  ShadowTicket,
  UncomparedOutcome,
} from './shadow-ticket.ts';

export type CopyPorts = Pick<GatewayContext, 'counters' | 'snapshot' | 'spend' | 'wallMs'> & {
  /** Makes salts of prompts' caches, unknown outside. */
  readonly secret: string;
};

/** The copy, or why there is none. Nothing is sent yet; its cost is booked. */
export function copyRequestOf(
  ports: CopyPorts,
  ticket: ShadowTicket,
  primary: PrimaryEnd,
): CopyRequest | UncomparedOutcome {
  const { rule, of } = ticket;
  const { features } = of;
  if (hasSideEffects(features.kind, of.body)) return 'side_effects';
  const snapshot = ports.snapshot();
  const model = rule.toModel === undefined ? primary.model : resolveModel(snapshot, rule.toModel);
  const decision = chosenFor(ports, ticket, primary, snapshot, model);
  if (decision === undefined) return 'refused';
  const call = callOf(ports, of, decision.target, model);
  const spend = new RequestSpend(ports.spend);
  if (!call.ok || !spend.book(decision.target, model, features)) return 'refused';
  const timeoutMs = snapshot.settings.shadow.timeoutSeconds * 1000;
  const requestId = randomUUIDv7();
  return { requestId, features, model, decision, call: call.value, spend, timeoutMs };
}

/** A backend that may and can take it now, and is not the very one that has answered. */
function chosenFor(
  ports: CopyPorts,
  { rule, of }: ShadowTicket,
  primary: PrimaryEnd,
  snapshot: RoutingSnapshot,
  model: string,
): Routed | undefined {
  const { toBackend } = rule;
  const view = toBackend === undefined ? snapshot : onlyBackend(snapshot, model, toBackend);
  if (!isKnownModel(view, model)) return undefined;
  const asked = ruleOf(snapshot.settings.policies, primary.model);
  const features: RouteFeatures = {
    ...of.route,
    resolvedModel: model,
    prefixKey: undefined,
    affinityKey: undefined,
    restrictedOnly: of.route.restrictedOnly || asked?.privacy === 'restricted',
    isFallback: false,
    split: undefined,
  };
  const input = { tried: [], cursor: 0, seed: 0, budget: ports.spend.status() };
  const decision = decide(view, ports.counters, features, input);
  if (decision.kind === 'refuse') return undefined;
  const isSame = decision.target.id === primary.backendId && model === primary.model;
  return isSame ? undefined : decision;
}

/** The same fleet with one backend for this model. */
function onlyBackend(snapshot: RoutingSnapshot, model: string, id: string): RoutingSnapshot {
  const offers = snapshot.byModel.get(model)?.filter(({ target }) => target.id === id) ?? [];
  return { ...snapshot, byModel: new Map(offers.length === 0 ? [] : [[model, offers]]) };
}

function callOf({ secret, wallMs }: CopyPorts, of: ShadowedRequest, target: Target, model: string) {
  const salt = hash('sha256', `${secret}\0shadow\0${of.groupName}`).slice(0, 32);
  const body = shadowBody(of.body, of.features, { model, type: target.backendType, salt });
  const { kind, stream: isStream } = of.features;
  const createdSeconds = Math.floor(wallMs() / 1000);
  return attemptCall(
    target,
    { kind, enginePath: of.enginePath, body, model, isStream },
    { requestId: of.requestId, createdSeconds, includeUsage: false },
  );
}
