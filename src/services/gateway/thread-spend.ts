// Money as one gateway thread sees it: what a request on a backend costs, whether the budget has room
// for it, and where the budget of the month stands. The spend itself is shared by all threads.

import { isCloudType } from '../../base/backend-type.ts';
import type { BudgetStatus } from '../../core/routing/decision-input.ts';
import type { Target } from '../../core/routing/snapshot.ts';
import { MonthClock } from '../../core/usage/month.ts';
import {
  budgetStatus,
  type MonthBudget,
  reservationLimit,
  utilizationPercent,
} from '../../core/usage/month-budget.ts';
import { findPrice, type Price, type PriceTable } from '../../core/usage/price-table.ts';
import {
  costOf,
  estimatedCost,
  type RequestSize,
  type TokenUse,
} from '../../core/usage/request-cost.ts';
import type { MonthSpend, SpendReservation } from '../../io/shared-memory/month-spend.ts';

/** What threads are told of money; replaced as a whole. */
export type SpendRules = { readonly prices: PriceTable; readonly budget: MonthBudget };

/** A request that costs something, on the backend of its last attempt. */
export type Booking = {
  readonly price: Price;
  readonly estimateMicroUsd: number;
  readonly reservation: SpendReservation;
};

/** Where the budget stands, told to clients when it is not normal. */
export type BudgetStanding = {
  readonly status: Exclude<BudgetStatus, 'Normal'>;
  readonly utilizationPercent: number;
  /** Micro-USD, 0 or more. */
  readonly remaining: number;
};

export class ThreadSpend {
  readonly #shared: MonthSpend;
  readonly #wallMs: () => number;
  readonly #clock = new MonthClock();
  #rules: SpendRules;
  /** Backend -> model -> its price, null where there is none. */
  readonly #prices = new Map<string, Map<string, Price | null>>();

  constructor(shared: MonthSpend, rules: SpendRules, wallMs: () => number) {
    this.#shared = shared;
    this.#rules = rules;
    this.#wallMs = wallMs;
  }

  configure(rules: SpendRules): void {
    this.#rules = rules;
    this.#prices.clear();
  }

  /** A backend that is gone, or another one now. */
  forget(backendId: string): void {
    this.#prices.delete(backendId);
  }

  /** Where the budget of the month stands, reservations included. */
  status(): BudgetStatus {
    const { budget } = this.#rules;
    if (budget.limitMicroUsd === undefined) return 'Normal';
    return budgetStatus(budget, this.#shared.spent(this.#month()));
  }

  /** Undefined while the budget is normal. */
  standing(): BudgetStanding | undefined {
    const { budget } = this.#rules;
    if (budget.limitMicroUsd === undefined) return undefined;
    const spent = this.#shared.spent(this.#month());
    const status = budgetStatus(budget, spent);
    if (status === 'Normal') return undefined;
    const remaining = Math.max(0, budget.limitMicroUsd - spent);
    return { status, utilizationPercent: utilizationPercent(budget, spent), remaining };
  }

  /**
   * Books what the request may cost. `unpriced` where nothing is charged; `over` where the budget has
   * no room for it, and then nothing is booked.
   */
  book(target: Target, model: string, size: RequestSize): Booking | 'unpriced' | 'over' {
    const price = this.#priceOf(target, model);
    if (price === null) return 'unpriced';
    const estimateMicroUsd = estimatedCost(price, size);
    const limit = reservationLimit(this.#rules.budget, target.zone);
    const reservation = this.#shared.reserve(this.#month(), estimateMicroUsd, limit);
    return reservation === undefined ? 'over' : { price, estimateMicroUsd, reservation };
  }

  /** Nothing was used: what was booked is free again. */
  giveBack(booking: Booking): void {
    this.#shared.settle(this.#month(), booking.reservation, 0);
  }

  /** Puts the real cost in the place of the booking; returns it, micro-USD. */
  settle(booking: Booking, use: TokenUse, backendMs: number): number {
    const cost = costOf(booking.price, use, backendMs);
    this.#shared.settle(this.#month(), booking.reservation, cost);
    return cost;
  }

  #month(): number {
    return this.#clock.at(this.#wallMs());
  }

  #priceOf(target: Target, model: string): Price | null {
    let models = this.#prices.get(target.id);
    if (models === undefined) {
      models = new Map();
      this.#prices.set(target.id, models);
    }
    let price = models.get(model);
    if (price === undefined) {
      const isCloud = isCloudType(target.backendType);
      price = findPrice(this.#rules.prices, { model, backend: target.id, isCloud }) ?? null;
      models.set(model, price);
    }
    return price;
  }
}
