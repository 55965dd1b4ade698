// The budget of a month: how far it is spent, what that means for routing, and which thresholds were
// crossed. The limit counts what is spent and what is reserved by requests under way.

import type { HardLimitAction } from '../../base/routing-words.ts';
import type { PrivacyZone } from '../backends/backend.ts';
import type { BudgetStatus } from '../routing/decision-input.ts';

import { microUsdOf } from './money.ts';

export type MonthBudget = {
  /** Micro-USD; undefined sets no limit. */
  readonly limitMicroUsd: number | undefined;
  /** 0 to 100. */
  readonly softPercent: number;
  readonly action: HardLimitAction;
};

/** The limit as the configuration has it: USD, where 0 sets none. */
export function monthBudget(
  limitUsd: number,
  softPercent: number,
  action: HardLimitAction,
): MonthBudget {
  return { limitMicroUsd: limitUsd === 0 ? undefined : microUsdOf(limitUsd), softPercent, action };
}

/** At the limit it is the hard one, at the soft share the soft one. */
export function budgetStatus(budget: MonthBudget, spentMicroUsd: number): BudgetStatus {
  const { limitMicroUsd: limit, softPercent } = budget;
  if (limit === undefined) return 'Normal';
  if (spentMicroUsd >= limit) return 'HardLimit';
  return spentMicroUsd * 100 >= limit * softPercent ? 'SoftLimit' : 'Normal';
}

/**
 * What the spend may come to by a reservation for a backend, open to others or not: the limit where
 * passing it would keep such a backend out; undefined where nobody is kept out.
 */
export function reservationLimit(budget: MonthBudget, zone: PrivacyZone): number | undefined {
  const { action, limitMicroUsd } = budget;
  return action === 'block_all' || (action === 'block_cloud' && zone === 'open')
    ? limitMicroUsd
    : undefined;
}

/** Spent share of the limit, percent; 0 without a limit. */
export function utilizationPercent(budget: MonthBudget, spentMicroUsd: number): number {
  const { limitMicroUsd: limit } = budget;
  return limit === undefined ? 0 : (100 * spentMicroUsd) / limit;
}

/** Shares at which an alarm is raised (specification SEC 2.9), with that of the soft limit. */
function alarmPercents(softPercent: number): readonly number[] {
  return [...new Set([50, 80, 100, softPercent])].sort((a, b) => a - b);
}

/** Thresholds, percent, that a spend has reached, lowest first. */
function reachedThresholds(budget: MonthBudget, spentMicroUsd: number): readonly number[] {
  const { limitMicroUsd: limit, softPercent } = budget;
  if (limit === undefined) return [];
  return alarmPercents(softPercent).filter((percent) => spentMicroUsd * 100 >= limit * percent);
}

export type ReachedThresholds = { readonly month: number; readonly percents: readonly number[] };

/**
 * What is reached now, and of it what was not `before`: to be told. A new month begins with nothing
 * reached; so does a limit that was raised, as far as it is not reached any more.
 */
export function watchBudget(
  before: ReachedThresholds,
  budget: MonthBudget,
  month: number,
  spentMicroUsd: number,
): { readonly reached: ReachedThresholds; readonly news: readonly number[] } {
  const percents = reachedThresholds(budget, spentMicroUsd);
  const known = before.month === month ? before.percents : [];
  const news = percents.filter((percent) => !known.includes(percent));
  return { reached: { month, percents }, news };
}
