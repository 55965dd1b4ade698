// The gates between a request and a backend, in the order in which they are asked, each with why it
// is open or closed. For people: a decision asks its own questions (core/routing/decide.ts).
//
// A gate that nothing can close yet is `off` and says so; `open` is only said of one that was asked.

import { elapsedWords } from '../../base/duration-words.ts';
import { elapsedMs, type Instant } from '../../base/time.ts';
import type { Backend, StatusReason } from './backend.ts';
import { type BreakerGate, breakerWords } from './breaker-gate.ts';

export type GateName =
  | 'approval'
  | 'health'
  | 'lifecycle'
  | 'zone'
  | 'budget'
  | 'tier'
  | 'quality'
  | 'breaker'
  | 'capacity';

export type Gate = {
  readonly name: GateName;
  readonly state: 'open' | 'closed' | 'off';
  readonly words: string;
  readonly since: Instant | undefined;
  /** A command or what to do; undefined where nothing is wrong. */
  readonly remedy: string | undefined;
};

function gate(
  name: GateName,
  state: Gate['state'],
  words: string,
  rest: { readonly since?: Instant; readonly remedy?: string | undefined } = {},
): Gate {
  return { name, state, words, since: rest.since, remedy: rest.remedy };
}

function approvalGate({ approved, id, metadata }: Backend): Gate {
  if (approved) return gate('approval', 'open', 'approved');
  const by = metadata['found_by'] ?? 'discovery';
  return gate('approval', 'closed', `found by ${by}, nobody has approved it`, {
    remedy: `tensorforge backends approve ${id}`,
  });
}

const reasonWords: Readonly<Record<StatusReason, string>> = {
  busy: 'every slot is taken',
  warming: 'a model is being loaded',
  config_error: 'it refused its credential or our configuration',
  rate_limited: 'it asked for patience',
  pending_approval: 'waits for approval',
};

function healthRemedy(backend: Backend): string | undefined {
  if (backend.status === 'draining') return `tensorforge backends resume ${backend.id}`;
  if (backend.statusReason === 'config_error') {
    return `set ${backend.apiKeyEnv ?? 'api_key_env'} of the control plane, then: tensorforge backends probe ${backend.id}`;
  }
  if (backend.statusReason === 'rate_limited' || backend.statusReason === 'warming') {
    return 'wait: it is asked again by itself';
  }
  return `start it, then: tensorforge backends probe ${backend.id}`;
}

function healthGate(backend: Backend, now: Instant): Gate {
  const { status, statusReason, statusSince, lastError } = backend;
  const span = elapsedWords(elapsedMs(statusSince, now));
  if (status === 'healthy') {
    return gate('health', 'open', `healthy for ${span}`, { since: statusSince });
  }
  const cause = lastError ?? (statusReason === undefined ? undefined : reasonWords[statusReason]);
  const words = `${status} for ${span}${cause === undefined ? '' : `: ${cause}`}`;
  return gate('health', 'closed', words, { since: statusSince, remedy: healthRemedy(backend) });
}

function lifecycleGate({ closures, models, currentOperation }: Backend): Gate {
  if (closures.length === 0) return gate('lifecycle', 'open', 'no model is closed');
  const closed = closures.map(({ modelId, reason }) => `${modelId} (${reason})`).join(', ');
  const words = `${closures.length} of ${models.length} models closed: ${closed}`;
  const isAll = models.every(({ id }) => closures.some(({ modelId }) => modelId === id));
  const remedy = 'wait: it opens by itself, see: tensorforge models operations';
  const since = currentOperation === undefined ? {} : { since: currentOperation.initiatedAt };
  return gate('lifecycle', isAll ? 'closed' : 'open', words, { remedy, ...since });
}

function capacityGate({ capacity, id }: Backend, inFlight: number): Gate {
  if (capacity === 0) {
    return gate('capacity', 'off', `${inFlight} in flight; its capacity is not known`);
  }
  const words = `${inFlight} of ${capacity} in flight`;
  if (inFlight < capacity) return gate('capacity', 'open', words);
  return gate('capacity', 'closed', words, {
    remedy: `add a backend, or: tensorforge backends set ${id} --capacity N`,
  });
}

function breakerGate(
  { id, models }: Backend,
  breaker: BreakerGate | undefined,
  now: Instant,
): Gate {
  if (breaker === undefined) return gate('breaker', 'off', 'none is configured');
  const words = breakerWords(breaker, models.length, now);
  const { state, since, modelsOut } = breaker;
  if (state === 'closed' && modelsOut.length === 0) return gate('breaker', 'open', words);
  const remedy =
    state === 'closed'
      ? 'wait: requests try it by themselves, see: tensorforge breakers list'
      : `wait, or let the next request try it: tensorforge breakers reset backend:${id}`;
  const isOpen = state === 'open';
  return gate('breaker', isOpen ? 'closed' : 'open', words, {
    remedy,
    ...(since === undefined ? {} : { since }),
  });
}

/**
 * All nine, in order; `inFlight` requests are with the backend now. An open breaker closes its gate,
 * though the last backends of a model are asked all the same.
 */
export function gatesOf(
  backend: Backend,
  inFlight: number,
  now: Instant,
  breaker?: BreakerGate,
): readonly Gate[] {
  return [
    approvalGate(backend),
    healthGate(backend, now),
    lifecycleGate(backend),
    gate('zone', 'off', `zone ${backend.zone}; no rule asks for one`),
    gate('budget', 'off', 'no budget is configured'),
    gate('tier', 'off', `tier ${backend.tier}; no rule asks for one`),
    gate('quality', 'off', 'not measured'),
    breakerGate(backend, breaker, now),
    capacityGate(backend, inFlight),
  ];
}

/** The first gate that keeps all requests out; undefined when the backend takes some. */
export function firstClosed(gates: readonly Gate[]): Gate | undefined {
  return gates.find(({ state }) => state === 'closed');
}
