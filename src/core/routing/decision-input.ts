// What a decision is made of: what the request needs, the live figures of each backend, and the little
// that is drawn or counted. All of it stands in the decision record; nothing else may be looked at.

import type { ApiOperation } from '../../base/api-operation.ts';
import type { Offer } from './snapshot.ts';
import type { SplitAssignment } from './split.ts';

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
  /** Names the beginning of the prompt, keyed by tenant: 32 bits; undefined where nobody asks for it. */
  readonly prefixKey: number | undefined;
  /** Names the session that the client says it belongs to, keyed by tenant: 32 bits. */
  readonly affinityKey: number | undefined;
  /** Where the client says that it is. */
  readonly region: string | undefined;
  /** May a backend below the least tier serve it, where the rule allows a fallback? */
  readonly mayUseLowerTier: boolean;
  /** The key may use the restricted zone only. */
  readonly restrictedOnly: boolean;
  /** Does `resolvedModel` stand in for the one that was asked for? */
  readonly isFallback: boolean;
  /** The arm of a traffic split that the request drew; absent for nearly every one. */
  readonly split?: SplitAssignment | undefined;
};

/** Tokens of an answer whose request sets no limit. */
export const usualOutputTokens = 256;
const expectedTokensMax = 2 ** 31 - 1;

/** Tokens of prompt and answer that the request may come to. */
export function expectedTokens({
  estimatedTokens,
  maxOutputTokens,
}: Pick<RouteFeatures, 'estimatedTokens' | 'maxOutputTokens'>): number {
  return Math.min(estimatedTokens + (maxOutputTokens ?? usualOutputTokens), expectedTokensMax);
}

/** Of a request that says nothing about where it wants to go. */
export const noHints = {
  prefixKey: undefined,
  affinityKey: undefined,
  region: undefined,
  mayUseLowerTier: false,
  restrictedOnly: false,
  isFallback: false,
} as const;

/** Live figures of backends. */
export interface CounterSource {
  /**
   * The figures of the offer's backend as of now. `reads` are bits of the figures that the policy goes by
   * (`figures` of policies/routing-policy.ts); the others may stay {@link unread}.
   */
  read(offer: Offer, reads: number): Reading;
}

export type DecideInput = {
  /** Backends that an earlier attempt of this request has tried. */
  readonly tried: readonly string[];
  /** Value of the shared round-robin cursor. */
  readonly cursor: number;
  /** Seed of this decision's own randomness. */
  readonly seed: number;
  readonly budget: BudgetStatus;
};

/** Of the installation's budget of the month. */
export const budgetStatuses = ['Normal', 'SoftLimit', 'HardLimit'] as const;
export type BudgetStatus = (typeof budgetStatuses)[number];

/** What holds a backend back for a while: bits 0-1 its breaker, as the code, bit 2 its quality. */
export const gates = {
  breaker: 3,
  breakerOpen: 1,
  probeFree: 2,
  probesOut: 3,
  quality: 4,
} as const;

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
  /** Bits of {@link gates}. */
  readonly gates: number;
  /** Peak EWMA of the first byte, ms; 0 when never measured, or not read by this policy. */
  readonly peakMs: number;
  /** Tokens in flight; 0 also where the policy does not read them. */
  readonly tokens: number;
  /** Requests that the engine tells of; -1 when it does not, or the policy does not read them. */
  readonly engineRequests: number;
  /** As `engineRequests`; 0 to 1. */
  readonly kvUse: number;
};

/** What is in {@link Reading} where it was not read. */
export const unread = { gates: 0, peakMs: 0, tokens: 0, engineRequests: -1, kvUse: -1 } as const;
