// What one request has taken of the limits that hold for it: its place in each scope's minute and among
// the requests in flight, its tokens, its money.
//
//   nothing --enter--> counted --takeTokens--> with its estimate --leave, with what it used--> nothing
//      ^                  |                           |
//      +---- withdraw ----+---------------------------+
//
//   A1  All scopes admit it or none counts it.
//   A2  A request that a limit refuses has used nothing of any limit.
//   A3  It is in flight once in each scope that holds for it now, also after limits changed.
//   A4  Tokens are settled once: the estimate goes, what was used comes.

import type { AdmissionLimit } from '../../core/policy/admission.ts';
import { expectedTokens } from '../../core/routing/decision-input.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import type { SpendReservation } from '../../io/shared-memory/month-spend.ts';
import { minuteUnits, unitsOf, unitsPerMs } from '../../io/shared-memory/rate-meter.ts';
import type { RequestFeatures } from '../../protocol/openai/request-body.ts';
import { limitHeaders } from './limit-headers.ts';
import { quotaRefusal } from './limit-refusal.ts';
import type { LimitedScope, ThreadLimits } from './thread-limits.ts';

/** What was booked on one scope's budget. */
export type ScopeBooking = {
  readonly scope: LimitedScope;
  readonly reservation: SpendReservation;
};

/** A request in flight ends when it ends: nobody knows when a place is free. */
const placeRetryMs = 1000;

export class RequestLimits {
  readonly #limits: ThreadLimits;
  #scopes: readonly LimitedScope[];
  /** By slot: units of tokens that were taken. */
  readonly #taken = new Map<number, number>();
  #isCounted = false;

  private constructor(limits: ThreadLimits, scopes: readonly LimitedScope[]) {
    this.#limits = limits;
    this.#scopes = scopes;
  }

  /** Undefined where no limit holds for the key. */
  static of(
    limits: ThreadLimits,
    key: Parameters<ThreadLimits['of']>[0],
  ): RequestLimits | undefined {
    if (limits.isEmpty) return undefined;
    const scopes = limits.of(key);
    return scopes.length === 0 ? undefined : new RequestLimits(limits, scopes);
  }

  /** Limits have changed under a request that runs: it is counted where it belongs now (A3). */
  static moved(
    before: RequestLimits | undefined,
    limits: ThreadLimits,
    key: Parameters<ThreadLimits['of']>[0],
  ): RequestLimits | undefined {
    const scopes = limits.of(key);
    if (before === undefined && scopes.length === 0) return undefined;
    const request = before ?? new RequestLimits(limits, []);
    if (before === undefined) request.#isCounted = true;
    request.#move(scopes);
    return request;
  }

  // ---- requests ----------------------------------------------------------------------------

  /** Counts the request in, or says which limit does not admit it (A1). */
  enter(): AdmissionLimit | undefined {
    const now = this.#limits.now();
    for (const [index, scope] of this.#scopes.entries()) {
      const refused = enterScope(scope, now);
      if (refused === undefined) continue;
      for (const entered of this.#scopes.slice(0, index)) leaveUnused(entered, now);
      return refused;
    }
    this.#isCounted = true;
    return undefined;
  }

  /** Something else refuses it: it has used nothing. */
  withdraw(): void {
    if (!this.#isCounted) return;
    this.#isCounted = false;
    const now = this.#limits.now();
    this.#settleTokens(0, now);
    for (const scope of this.#scopes) leaveUnused(scope, now);
  }

  /** The end of a request that was counted, and the tokens it used; again is nothing. */
  leave(tokens: number): void {
    if (!this.#isCounted) return;
    this.#isCounted = false;
    this.#settleTokens(tokens, this.#limits.now());
    for (const { words } of this.#scopes) words.leave();
  }

  #move(scopes: readonly LimitedScope[]): void {
    const before = this.#scopes;
    this.#scopes = scopes;
    if (!this.#isCounted) return;
    for (const old of before) {
      const same = scopes.find(({ slot }) => slot === old.slot);
      if (same === undefined) old.words.leave();
      // Another limit began anew, and knows nothing of what was taken of the one before.
      if (same?.limit.tokensPerMinute !== old.limit.tokensPerMinute) this.#taken.delete(old.slot);
    }
    for (const { slot, words } of scopes) {
      if (!before.some((old) => old.slot === slot)) words.enter();
    }
  }

  // ---- tokens ------------------------------------------------------------------------------

  /**
   * Takes what the request is expected to use, or says which limit does not admit it; then nothing of
   * any limit is used (A2). What is larger than a limit waits for a whole minute of it.
   */
  takeTokens(expected: number): AdmissionLimit | undefined {
    const now = this.#limits.now();
    for (const { scope, slot, limit, words } of this.#scopes) {
      const bound = limit.tokensPerMinute;
      if (bound === undefined) continue;
      const units = Math.min(minuteUnits, unitsOf(expected, bound));
      const wait = words.tokens.take(units, now);
      if (wait > 0) {
        const left = words.tokens.left(bound, now);
        this.withdraw();
        return { scope, kind: 'tokens', bound, left, retryMs: msOf(wait) };
      }
      this.#taken.set(slot, units);
    }
    return undefined;
  }

  #settleTokens(tokens: number, now: number): void {
    for (const { slot, limit, words } of this.#scopes) {
      const bound = limit.tokensPerMinute;
      if (bound === undefined) continue;
      words.tokens.settle(this.#taken.get(slot) ?? 0, unitsOf(tokens, bound), now);
    }
    this.#taken.clear();
  }

  // ---- money -------------------------------------------------------------------------------

  /** Is a budget spent, so that nothing can be paid any more? */
  spentBudget(): Refusal | undefined {
    for (const { scope, limit, words } of this.#scopes) {
      const budget = limit.monthBudgetMicroUsd;
      if (budget === undefined) continue;
      const spent = words.spend.spent(this.#limits.month());
      if (spent >= budget) return quotaRefusal({ scope, budget, spent, estimate: undefined });
    }
    return undefined;
  }

  /** Books what an attempt may cost on every budget, or on none and says why. */
  book(microUsd: number): readonly ScopeBooking[] | Refusal {
    const month = this.#limits.month();
    const booked: ScopeBooking[] = [];
    for (const scope of this.#scopes) {
      const budget = scope.limit.monthBudgetMicroUsd;
      if (budget === undefined) continue;
      const reservation = scope.words.spend.reserve(month, microUsd, budget);
      if (reservation === undefined) {
        const spent = scope.words.spend.spent(month);
        this.settle(booked, 0);
        return quotaRefusal({ scope: scope.scope, budget, spent, estimate: microUsd });
      }
      booked.push({ scope, reservation });
    }
    return booked;
  }

  /** Puts the real cost in the place of what was booked, once; a budget set since then pays too. */
  settle(booked: readonly ScopeBooking[], microUsd: number): void {
    const month = this.#limits.month();
    for (const { scope, reservation } of booked) {
      scope.words.spend.settle(month, reservation, microUsd);
    }
    if (microUsd === 0) return;
    for (const { slot, limit, words } of this.#scopes) {
      if (limit.monthBudgetMicroUsd === undefined) continue;
      const isBooked = booked.some(({ scope }) => scope.slot === slot);
      if (!isBooked) words.spend.settle(month, undefined, microUsd);
    }
  }

  // ---- what clients are told ---------------------------------------------------------------

  /** `x-ratelimit-*` of the scopes with the least left, flat. */
  headers(): readonly string[] {
    const now = this.#limits.now();
    return [
      ...limitHeaders(this.#scopes, 'requests', now),
      ...limitHeaders(this.#scopes, 'tokens', now),
    ];
  }
}

/** Tokens that a request may come to: its prompt, and for each answer its limit or what is usual. */
export function expectedUse(features: RequestFeatures): number {
  const { estimatedTokens, choices, kind } = features;
  const answer = expectedTokens(features) - estimatedTokens;
  return estimatedTokens + (kind === 'embeddings' ? 0 : choices) * answer;
}

function msOf(units: number): number {
  return Math.max(1, Math.ceil(units / unitsPerMs));
}

function enterScope(
  { scope, limit, words }: LimitedScope,
  now: number,
): AdmissionLimit | undefined {
  const { requestsPerMinute: bound, concurrentRequests: places } = limit;
  const one = bound === undefined ? 0 : unitsOf(1, bound);
  const wait = bound === undefined ? 0 : words.requests.take(one, now);
  if (wait > 0 && bound !== undefined) {
    const left = words.requests.left(bound, now);
    return { scope, kind: 'requests', bound, left, retryMs: msOf(wait) };
  }
  if (words.enter(places)) return undefined;
  words.requests.settle(one, 0, now);
  return { scope, kind: 'concurrency', bound: places ?? 0, left: 0, retryMs: placeRetryMs };
}

function leaveUnused({ limit, words }: LimitedScope, now: number): void {
  words.leave();
  const { requestsPerMinute: bound } = limit;
  if (bound !== undefined) words.requests.settle(unitsOf(1, bound), 0, now);
}
