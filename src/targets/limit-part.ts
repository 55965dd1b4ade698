// Limits of keys, groups and the installation, wired: one table for all gateway threads, and the
// control thread that keeps what is set.

import type { Configuration } from '../config/options.ts';
import { monthText } from '../core/usage/month.ts';
import type { UsageRow } from '../core/usage/usage-sums.ts';
import type { Sql } from '../io/postgres/connection.ts';
import type { ControlEvents, EventToAppend } from '../io/postgres/control-events.ts';
import { limitStore } from '../io/postgres/limit-store.ts';
import { usageStore } from '../io/postgres/usage-store.ts';
import { LimitTable, limitSlots } from '../io/shared-memory/limit-table.ts';
import { thresholdEvent } from '../services/gateway/budget-view.ts';
import { limitRoutes } from '../services/gateway/limit-routes.ts';
import type { ToThread } from '../services/gateway/messages.ts';
import { type LimitShares, machineMs } from '../services/gateway/thread-limits.ts';
import { UsageLimits } from '../services/gateway/usage-limits.ts';
import { now } from './clock.ts';

export type LimitPartOptions = {
  readonly config: Configuration;
  readonly sql: Sql;
  readonly events: ControlEvents;
  /** Has what was used so far written to the database. */
  readonly settleUsage: () => Promise<void>;
  /** Resolves when every gateway thread has taken the message in. */
  readonly tell: (message: ToThread) => Promise<void>;
  /** A budget has passed a threshold. */
  readonly onAlarm: (event: EventToAppend) => void;
};

export type LimitPart = ReturnType<typeof limitPart>;

export function limitPart(options: LimitPartOptions) {
  const { config, sql, events, settleUsage, tell } = options;
  const originMs = machineMs();
  const table = LimitTable.create(config.server.threads);
  const usage = usageStore(sql);
  const limits = new UsageLimits({
    store: limitStore(sql, events),
    table: new LimitTable(table),
    slots: limitSlots,
    nowMs: () => machineMs() - originMs,
    now,
    settleUsage,
    spentIn: (month, scope, id) => usage.spentIn(monthText(month), scope, id),
    tell: (list) => tell({ type: 'limits', list }),
  });
  return {
    limits,
    /** What threads have settled. */
    note(rows: readonly UsageRow[]): void {
      if (rows.length === 0) return;
      for (const { of, percent, ...figures } of limits.passedBy(rows)) {
        options.onAlarm(thresholdEvent(of, figures, percent, now()));
      }
    },
    /** For a gateway thread that starts now. */
    shares: (): LimitShares => ({ table, originMs, list: limits.list }),
    routes: () => limitRoutes(limits),
  };
}
