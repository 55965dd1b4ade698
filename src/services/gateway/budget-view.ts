// The budget of the month as people and machines read it: `budget` of usage and of statistics, its
// gauges, what wants a person, and the events of the thresholds that it passes.

import { type Instant, instant, toRfc3339 } from '../../base/time.ts';
import { usdOf } from '../../core/usage/money.ts';
import { monthMs, monthText } from '../../core/usage/month.ts';
import {
  budgetStatus,
  type MonthBudget,
  utilizationPercent,
} from '../../core/usage/month-budget.ts';
import type { EventToAppend } from '../../io/postgres/control-events.ts';
import type { BudgetWire } from '../../protocol/control/usage-schemas.ts';
import type { Attention } from './overview.ts';
import type { BudgetScope } from './scope-thresholds.ts';

export type BudgetFigures = {
  readonly budget: MonthBudget;
  readonly month: number;
  /** Micro-USD that are settled. */
  readonly settled: number;
  /** Micro-USD settled and reserved, by which the status goes. */
  readonly spent: number;
};

/** Undefined without a limit. */
export function budgetWire(figures: BudgetFigures, now: Instant): BudgetWire | undefined {
  const { budget, month, settled, spent } = figures;
  if (budget.limitMicroUsd === undefined) return undefined;
  return {
    current_spending_usd: usdOf(settled),
    reserved_usd: usdOf(Math.max(0, spent - settled)),
    monthly_limit_usd: usdOf(budget.limitMicroUsd),
    utilization_percent: Number(utilizationPercent(budget, spent).toFixed(4)),
    status: budgetStatus(budget, spent),
    billing_month: monthText(month),
    last_reconciliation: toRfc3339(now),
    soft_limit_threshold: budget.softPercent,
    hard_limit_action: budget.action,
    next_reset_date: toRfc3339(instant(monthMs(month + 1))),
  };
}

function effectWords({ action }: MonthBudget): string {
  if (action === 'warn') return 'requests go on';
  return action === 'block_cloud' ? 'the open zone takes no requests' : 'no requests are taken';
}

/** A budget beyond its soft limit wants to be seen. */
export function budgetNotices(figures: BudgetFigures): readonly Attention[] {
  const { budget, spent } = figures;
  const status = budgetStatus(budget, spent);
  if (status === 'Normal') return [];
  const isHard = status === 'HardLimit';
  const share = `${Math.floor(utilizationPercent(budget, spent))} % of the month's budget is spent`;
  const words = isHard ? `${share}: ${effectWords(budget)}` : share;
  const isBlocking = isHard && budget.action !== 'warn';
  return [{ level: isBlocking ? 'bad' : 'attention', words, action: 'tensorforge usage' }];
}

/** Whole micro-USD, so that the event reads the same on every machine. */
export function thresholdEvent(
  { scope, id }: BudgetScope,
  figures: Omit<BudgetFigures, 'spent'>,
  percent: number,
  occurredAt: Instant,
): EventToAppend {
  const { budget, month, settled } = figures;
  return {
    stream: 'edge',
    kind: 'budget_threshold_crossed',
    version: 1,
    occurredAt,
    actor: 'service:gateway',
    subject: scope === 'installation' ? 'budget:installation' : `budget:${scope}:${id}`,
    data: {
      scope,
      ...(scope === 'installation' ? {} : { id }),
      status: budgetStatus(budget, settled),
      percent,
      month: monthText(month),
      spent_micro_usd: settled,
      limit_micro_usd: budget.limitMicroUsd,
      action: budget.action,
    },
  };
}

/** Metric form of the status (specification BR 1.1). */
const statusNumbers = { Normal: 0, SoftLimit: 1, HardLimit: 2 } as const;

/** Prometheus text; nothing without a limit. */
export function budgetMetrics(figures: BudgetFigures): string {
  const { budget, spent } = figures;
  if (budget.limitMicroUsd === undefined) return '';
  const gauges: readonly (readonly [name: string, help: string, value: number])[] = [
    ['status', 'Budget of the month: 0 Normal, 1 SoftLimit, 2 HardLimit.', statusOf(figures)],
    ['limit_usd', 'What a month may cost.', usdOf(budget.limitMicroUsd)],
    ['spent_usd', 'Settled and reserved this month.', usdOf(spent)],
  ];
  return gauges
    .map(([name, help, value]) => {
      const metric = `tensorforge_budget_${name}`;
      return `# HELP ${metric} ${help}\n# TYPE ${metric} gauge\n${metric} ${value}\n`;
    })
    .join('');
}

function statusOf({ budget, spent }: BudgetFigures): number {
  return statusNumbers[budgetStatus(budget, spent)];
}
