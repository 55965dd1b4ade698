// Circuit breakers, wired: one table for all gateway threads, and the control thread that keeps what
// they tell, half-opens what is due, and answers people.

import type { Configuration } from '../config/options.ts';
import type { Logger } from '../io/log/logger.ts';
import { breakerStore } from '../io/postgres/breaker-store.ts';
import type { Sql } from '../io/postgres/connection.ts';
import type { ControlEvents } from '../io/postgres/control-events.ts';
import { type BreakerMoved, type BreakerParts, Breakers } from '../services/gateway/breakers.ts';
import { RetryBudget, type RetryBudgetParts } from '../services/gateway/retry-budget.ts';
import { breakerRoutes } from '../services/resilience/breaker-routes.ts';
import { ControlBreakers } from '../services/resilience/control-breakers.ts';
import { now, systemClock } from './clock.ts';

export type BreakerPartOptions = {
  readonly config: Configuration;
  readonly sql: Sql;
  readonly events: ControlEvents;
  readonly log: Logger;
  readonly fleet: () => readonly {
    readonly id: string;
    readonly models: readonly { readonly id: string }[];
  }[];
  /** A breaker opened, for the serving mode. */
  readonly onOpened: (name: string) => void;
};

/** What the gateway threads are given. */
export type BreakerShares = { readonly breakers: BreakerParts; readonly retries: RetryBudgetParts };

export type BreakerPart = ReturnType<typeof breakerPart>;

const tendEveryMs = 1000;
/** Breakers of single models in the metrics, at most. */
const modelSeriesMax = 1000;
const stateFigures = { closed: 0, half_open: 1, open: 2 } as const;

export function breakerPart(options: BreakerPartOptions) {
  const { log } = options;
  const { breaker, routing } = options.config;
  const shares: BreakerShares = {
    breakers: Breakers.create({
      failures: breaker.failures,
      successes: breaker.successes,
      openMs: breaker.openSeconds * 1000,
      probes: breaker.probes,
    }),
    retries: RetryBudget.create(
      { percent: routing.retryBudgetPercent, floorPerSecond: routing.retryBudgetFloorPerSecond },
      now(),
    ),
  };
  const control = new ControlBreakers({
    table: shares.breakers.table,
    rule: shares.breakers.rule,
    store: breakerStore(options.sql, options.events),
    fleet: () =>
      options.fleet().map(({ id, models }) => ({ id, models: models.map((model) => model.id) })),
    now,
    after: systemClock.after,
    onMoved: (subject, { from, to, words }) => {
      const facts = { breaker: subject, from, to, ...(words === undefined ? {} : { words }) };
      log[to === 'open' ? 'warn' : 'info'](facts, `circuit breaker ${to.replace('_', ' ')}`);
    },
    onOpened: options.onOpened,
    onFailed: (error) =>
      log.warn({ error: String(error) }, 'circuit breakers could not be written yet'),
    onLost: (events) => log.error({ events }, 'transitions of breakers were let go unwritten'),
  });
  let timer: NodeJS.Timeout | undefined;

  return {
    shares,
    told: (moved: BreakerMoved): void => control.told(moved),
    threadDied: (): void => control.threadDied(),
    isOpen: (backend: string): boolean => control.isOpen(backend),
    gateOf: (backend: string, models: readonly string[]) => control.gateOf(backend, models),
    backendsGone(ids: readonly string[]): void {
      for (const backend of ids) control.removed({ backend, model: undefined });
    },
    modelsGone(backend: string, models: readonly string[]): void {
      for (const model of models) control.removed({ backend, model });
    },
    routes: () => breakerRoutes(control),
    figures() {
      const moved = control.list(false).filter(({ model }) => model !== null);
      return {
        backends: options.fleet().map(({ id }) => {
          const { state } = control.gateOf(id, []);
          return { backend: id, model: '', state: stateFigures[state] };
        }),
        models: moved.slice(0, modelSeriesMax).map(({ backend, model, state }) => ({
          backend,
          model: model ?? '',
          state: stateFigures[state],
        })),
        transitions: control.transitions,
      };
    },
    async start(): Promise<void> {
      await control.restore();
      timer = setInterval(() => control.tend(), tendEveryMs);
    },
    async stop(): Promise<void> {
      clearInterval(timer);
      await control.stop();
    },
  };
}
