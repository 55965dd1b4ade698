// Which thresholds the budgets of groups and keys have passed, by what their requests have settled.

import type { LimitScope } from '../../core/policy/usage-limit.ts';
import { monthOf } from '../../core/usage/month.ts';
import {
  type MonthBudget,
  type ReachedThresholds,
  watchBudget,
} from '../../core/usage/month-budget.ts';
import type { UsageRow } from '../../core/usage/usage-sums.ts';

/** The scope of a budget; the id is empty for the installation. */
export type BudgetScope = { readonly scope: LimitScope; readonly id: string };

/** A threshold that a budget has passed just now. */
export type PassedThreshold = {
  readonly of: BudgetScope;
  readonly budget: MonthBudget;
  readonly month: number;
  /** Micro-USD of the month. */
  readonly settled: number;
  readonly percent: number;
};

type Watched = {
  readonly of: BudgetScope;
  budget: MonthBudget;
  month: number;
  settled: number;
  reached: ReachedThresholds;
};

const hourMs = 3_600_000;

/** Told at 50, 80 and 100 % (specification SEC 2.9); at the end nothing is paid any more. */
function budgetOf(limitMicroUsd: number): MonthBudget {
  return { limitMicroUsd, softPercent: 80, action: 'block_all' };
}

function nameOf({ scope, id }: BudgetScope): string {
  return `${scope} ${id}`;
}

export class ScopeThresholds {
  readonly #watched = new Map<string, Watched>();

  /** A budget is new. What it has reached by now is seen by whoever sets it, and not told. */
  begin(of: BudgetScope, limitMicroUsd: number, month: number, settled: number): void {
    const budget = budgetOf(limitMicroUsd);
    const { reached } = watchBudget({ month, percents: [] }, budget, month, settled);
    this.#watched.set(nameOf(of), { of, budget, month, settled, reached });
  }

  /** A budget is another one now; `undefined` for none. */
  change(of: BudgetScope, limitMicroUsd: number | undefined): void {
    const watched = this.#watched.get(nameOf(of));
    if (limitMicroUsd === undefined) this.#watched.delete(nameOf(of));
    else if (watched !== undefined) {
      watched.budget = budgetOf(limitMicroUsd);
      this.#passed(watched);
    }
  }

  /** Takes what threads have settled; what was passed by it. */
  note(rows: readonly UsageRow[]): readonly PassedThreshold[] {
    if (this.#watched.size === 0) return [];
    const touched = new Set<Watched>();
    for (const { hour, groupName, keyId, costMicroUsd } of rows) {
      if (costMicroUsd === 0) continue;
      for (const name of [`group ${groupName}`, `key ${keyId}`]) {
        const watched = this.#watched.get(name);
        if (watched === undefined) continue;
        charge(watched, monthOf(hour * hourMs), costMicroUsd);
        touched.add(watched);
      }
    }
    return [...touched].flatMap((watched) => this.#passed(watched));
  }

  #passed(watched: Watched): readonly PassedThreshold[] {
    const { of, budget, month, settled } = watched;
    const { reached, news } = watchBudget(watched.reached, budget, month, settled);
    watched.reached = reached;
    return news.map((percent) => ({ of, budget, month, settled, percent }));
  }
}

/** What comes late is of a month that is over, and is let go. */
function charge(watched: Watched, month: number, microUsd: number): void {
  if (month < watched.month) return;
  if (month > watched.month) watched.settled = 0;
  watched.month = month;
  watched.settled += microUsd;
}
