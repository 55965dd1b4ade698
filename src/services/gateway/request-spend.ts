// The tokens and the money of one request: booked before it is sent, charged once at its end.
//
//   nothing --book--> booked --book again, on another backend--> booked --end--> settled
//
// M1  At most one booking stands at a time; a failover gives the one before back.
// M2  A request is charged once, by the backend that answered it; attempts that failed before the
//     first byte are not.
// M3  Whatever is reported is cut to what is plausible; without a report our own count is charged.

import type { BudgetStatus } from '../../core/routing/decision-input.ts';
import type { Target } from '../../core/routing/snapshot.ts';
import {
  chargedTokens,
  plausibleWindowLeast,
  streamTokensAtLeast,
} from '../../core/usage/charged-tokens.ts';
import type { TokenUse } from '../../core/usage/request-cost.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import type { RequestFeatures } from '../../protocol/openai/request-body.ts';
import type { UsageReport } from '../../protocol/openai/usage.ts';
import type { RequestLimits, ScopeBooking } from './request-limits.ts';
import type { StreamRelay } from './stream-relay.ts';
import type { Booking, ThreadSpend } from './thread-spend.ts';
import type { RequestUse } from './usage-account.ts';

const nothing: TokenUse = { promptTokens: 0, completionTokens: 0, cachedTokens: 0 };

/** What is known of the output besides the backend's report. */
export type OwnCount = {
  readonly completionTokens: number;
  readonly completionAtLeast: number;
};

export const noOwnCount: OwnCount = { completionTokens: 0, completionAtLeast: 0 };

/**
 * Our own count of a stream: its events. At least so many tokens passed is certain only where the
 * backend's own events came through, and each carries one: chat and completions, untranslated.
 */
export function ownCountOf(
  stream: StreamRelay,
  features: RequestFeatures | undefined,
  isTranslated: boolean,
): OwnCount {
  const { dataEvents } = stream;
  const isCertain = features?.kind === 'chat' || features?.kind === 'completions';
  const completionAtLeast =
    isCertain && !isTranslated ? streamTokensAtLeast(dataEvents, features.choices) : 0;
  return { completionTokens: dataEvents, completionAtLeast };
}

function contextTokens(target: Target | undefined, model: string | undefined): number {
  return target?.models.find(({ id }) => id === model)?.contextLength ?? 0;
}

export class RequestSpend {
  readonly #spend: ThreadSpend;
  /** Of key and group; undefined where none is set. */
  #limits: RequestLimits | undefined;
  #booking: Booking | undefined;
  #scopes: readonly ScopeBooking[] = [];
  #quotaFault: Refusal | undefined;
  #use: TokenUse | undefined;
  /** Was there no room for it in the budget? */
  #isOver = false;

  constructor(spend: ThreadSpend, limits?: RequestLimits) {
    this.#spend = spend;
    this.#limits = limits;
  }

  /** Limits have changed: these hold from now on. */
  limitedBy(limits: RequestLimits | undefined): void {
    this.#limits = limits;
  }

  /** Which budget of key or group had no room for what was to be booked last. */
  get quotaFault(): Refusal | undefined {
    return this.#quotaFault;
  }

  /** What the decision goes by: a request that found no room in the budget takes it for spent. */
  get budget(): BudgetStatus {
    return this.#isOver ? 'HardLimit' : this.#spend.status();
  }

  /** What it is expected to cost on the backend of its last attempt; undefined where nothing is charged. */
  get estimateMicroUsd(): number | undefined {
    return this.#booking?.estimateMicroUsd;
  }

  /** Tokens that are charged; undefined before they are known. */
  get use(): TokenUse | undefined {
    return this.#use;
  }

  /**
   * Books what it may cost on `target`. False where a budget has no room: nothing is booked, and the
   * next decision leaves such backends out, unless `quotaFault` says that it is not to be made.
   */
  book(target: Target, model: string, features: RequestFeatures): boolean {
    this.#giveBack();
    const booked = this.#spend.book(target, model, {
      inputTokens: features.estimatedTokens,
      maxOutputTokens: features.maxOutputTokens,
      answers: features.kind === 'embeddings' ? 0 : features.choices,
    });
    this.#isOver = booked === 'over';
    if (booked === 'over') return false;
    if (booked === 'unpriced') return true;
    this.#booking = booked;
    return this.#bookScopes(booked.estimateMicroUsd);
  }

  #bookScopes(estimateMicroUsd: number): boolean {
    const booked = this.#limits?.book(estimateMicroUsd) ?? [];
    if ('code' in booked) {
      this.#quotaFault = booked;
      this.#giveBack();
      return false;
    }
    this.#scopes = booked;
    return true;
  }

  #giveBack(): void {
    if (this.#booking === undefined) return;
    this.#spend.giveBack(this.#booking);
    this.#booking = undefined;
    this.#settleScopes(0);
  }

  #settleScopes(costMicroUsd: number): void {
    this.#limits?.settle(this.#scopes, costMicroUsd);
    this.#scopes = [];
  }

  /** The answer has ended, or was cut: what is charged for it. */
  take(
    report: UsageReport,
    own: OwnCount,
    features: RequestFeatures | undefined,
    target: Target | undefined,
    model: string | undefined,
  ): void {
    const counted = {
      promptTokens: features?.estimatedTokens ?? 0,
      completionTokens: own.completionTokens,
      completionAtLeast: own.completionAtLeast,
    };
    if (report.kind !== 'usage') {
      this.#use = chargedTokens(undefined, counted, { contextTokens: 0, answers: 0 });
      return;
    }
    const { promptTokens, completionTokens, cachedTokens = 0 } = report;
    // Looking a model up among many is left out where it cannot matter.
    const isLarge = Math.max(promptTokens, completionTokens) > plausibleWindowLeast;
    const answers = features?.kind === 'embeddings' ? 0 : (features?.choices ?? 1);
    this.#use = chargedTokens({ promptTokens, completionTokens, cachedTokens }, counted, {
      contextTokens: isLarge ? contextTokens(target, model) : 0,
      answers,
    });
  }

  /** The end, to be called once. `backendMs`: how long the last backend worked, ms. */
  settle(backendMs: number): RequestUse {
    const { promptTokens, completionTokens, cachedTokens } = this.#use ?? nothing;
    const worked = Math.round(backendMs);
    const costMicroUsd = this.#settleBooking(worked);
    return { promptTokens, completionTokens, cachedTokens, costMicroUsd, backendMs: worked };
  }

  /** The cost, 0 for what was not used; undefined where nothing is charged. */
  #settleBooking(backendMs: number): number | undefined {
    const booking = this.#booking;
    if (booking === undefined) return undefined;
    if (this.#use === undefined) {
      this.#giveBack();
      return 0;
    }
    this.#booking = undefined;
    const cost = this.#spend.settle(booking, this.#use, backendMs);
    this.#settleScopes(cost);
    return cost;
  }
}
