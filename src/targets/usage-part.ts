// Usage and budget, wired: what threads report is summed, written and watched; what the month has cost
// is in memory that they share, from before they serve.

import { randomUUID } from 'node:crypto';
import type { Configuration } from '../config/options.ts';
import { monthOf } from '../core/usage/month.ts';
import {
  type MonthBudget,
  monthBudget,
  type ReachedThresholds,
  watchBudget,
} from '../core/usage/month-budget.ts';
import type { UsageRow } from '../core/usage/usage-sums.ts';
import type { ControlRoute } from '../io/http/control-route.ts';
import type { Logger } from '../io/log/logger.ts';
import type { Sql } from '../io/postgres/connection.ts';
import type { ControlEvents, EventToAppend } from '../io/postgres/control-events.ts';
import { DeferredEvents } from '../io/postgres/deferred-events.ts';
import { usageStore } from '../io/postgres/usage-store.ts';
import { MonthSpend } from '../io/shared-memory/month-spend.ts';
import { createWordBlock, openWords } from '../io/shared-memory/shared-words.ts';
import type { BudgetWire } from '../protocol/control/usage-schemas.ts';
import {
  type BudgetFigures,
  budgetMetrics,
  budgetNotices,
  budgetWire,
  thresholdEvent,
} from '../services/gateway/budget-view.ts';
import { CostMetrics } from '../services/gateway/cost-metrics.ts';
import type { Attention } from '../services/gateway/overview.ts';
import type { SpendRules } from '../services/gateway/thread-spend.ts';
import { UsageLedger } from '../services/gateway/usage-ledger.ts';
import { type UsageRoutesOptions, usageRoutes } from '../services/gateway/usage-routes.ts';
import { now } from './clock.ts';
import { readPrices } from './prices.ts';

export type UsagePartOptions = {
  readonly config: Configuration;
  readonly sql: Sql;
  readonly events: ControlEvents;
  readonly log: Logger;
  /** Has the gateway threads report. */
  readonly flush: () => Promise<void>;
};

export type UsagePart = ReturnType<typeof usagePart>;

/** Also what a kill can lose (specification BR 16). */
const writeEveryMs = 5000;
const eventsWaitingMax = 1000;
const installation = { scope: 'installation', id: '' } as const;

function budgetOf({ budget }: Configuration): MonthBudget {
  return monthBudget(budget.monthlyLimitUsd, budget.softLimitPercent, budget.hardLimitAction);
}

export function usagePart({ config, sql, events, log, flush }: UsagePartOptions) {
  let rules: SpendRules = { prices: readPrices(config), budget: budgetOf(config) };
  const block = createWordBlock(MonthSpend.wordsFor(config.server.threads));
  const spend = new MonthSpend(openWords(block));
  const store = usageStore(sql);
  const ledger = new UsageLedger({
    store,
    writer: randomUUID(),
    now,
    onFailed: (error) => log.warn({ error: String(error) }, 'usage could not be written yet'),
  });
  const costs = new CostMetrics();
  const alarms = new DeferredEvents({
    append: async (list) => {
      await sql.begin((tx) => events.append(tx, list));
    },
    waitingMax: eventsWaitingMax,
    onFailed: (error) =>
      log.warn({ error: String(error) }, 'alarms of the budget could not be written yet'),
    onLost: (count) => log.error({ count }, 'alarms of the budget are lost'),
  });
  let reached: ReachedThresholds = { month: 0, percents: [] };
  let timer: NodeJS.Timeout | undefined;

  const figures = (): BudgetFigures => {
    const month = monthOf(now());
    const settled = ledger.settledIn(month);
    return { budget: rules.budget, month, settled, spent: spend.spent(month) };
  };
  /** Tells the thresholds that were passed since the last look. */
  const watch = (): void => {
    const current = figures();
    const watched = watchBudget(reached, rules.budget, current.month, current.settled);
    reached = watched.reached;
    for (const percent of watched.news) {
      const words = `${percent} % of the month's budget is spent`;
      log.warn({ percent }, words);
      alarms.add(thresholdEvent(installation, current, percent, now()));
    }
    if (watched.news.length > 0) void alarms.write();
  };
  /** What threads have used by now is in the database, as far as it answers. */
  const settled = async (): Promise<void> => {
    await flush();
    await ledger.settle();
  };
  const budget = (): BudgetWire | undefined => budgetWire(figures(), now());
  const write = (): void => {
    void ledger.flush();
    if (alarms.waiting > 0) void alarms.write();
  };

  return {
    block,
    rules: (): SpendRules => rules,
    /** Writes an alarm of another budget, once the database answers. */
    alarm(event: EventToAppend): void {
      alarms.add(event);
      void alarms.write();
    },
    /** What threads have settled. */
    note(rows: readonly UsageRow[]): void {
      if (rows.length === 0) return;
      ledger.add(rows);
      costs.add(rows);
      watch();
    },
    /** Reads what `next` says of money; throws `config_invalid`. `apply` puts it in force. */
    prepare(next: Configuration) {
      const prepared = { prices: readPrices(next), budget: budgetOf(next) };
      return {
        hasNewPrices: JSON.stringify(prepared.prices) !== JSON.stringify(rules.prices),
        apply: (): SpendRules => {
          rules = prepared;
          watch();
          return rules;
        },
      };
    },
    /** The thread is gone, and its successor has not begun. */
    release: (thread: number): void => spend.reclaim(thread),
    budget,
    settled,
    metricsText: (): string => costs.text() + budgetMetrics(figures()),
    notices: (): readonly Attention[] => budgetNotices(figures()),
    routes: (limitsOf: UsageRoutesOptions['limitsOf']): readonly ControlRoute[] =>
      usageRoutes({
        store,
        now,
        flush: settled,
        prices: () => rules.prices,
        budget,
        limitsOf,
      }),
    /** To be awaited before any thread serves. */
    async start(): Promise<void> {
      const month = monthOf(now());
      await ledger.start(month);
      const settled = ledger.settledIn(month);
      spend.restore(month, settled);
      // What was reached before the start was told then.
      reached = watchBudget(reached, rules.budget, month, settled).reached;
      timer = setInterval(write, writeEveryMs);
    },
    async stop(): Promise<void> {
      clearInterval(timer);
      await ledger.settle();
      await alarms.write();
    },
  };
}
