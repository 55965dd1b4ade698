// The serving mode, wired: the keeper hears what requests, probes and backends come to, a timer has it
// evaluate, and its mode is a word in the memory that every gateway thread reads.

import { present } from '../base/assert.ts';
import type { Configuration } from '../config/options.ts';
import { ladderSettings } from '../core/policy/ladder-settings.ts';
import { isPinOver, modeInForce } from '../core/policy/ladder-state.ts';
import type { ModeRecord } from '../core/policy/mode-record.ts';
import { modeIndex } from '../core/policy/serving-mode.ts';
import type { Logger } from '../io/log/logger.ts';
import type { Sql } from '../io/postgres/connection.ts';
import type { ControlEvents } from '../io/postgres/control-events.ts';
import { servingModeStore } from '../io/postgres/serving-mode-store.ts';
import type { Arena } from '../io/shared-memory/arena.ts';
import type { Attention } from '../services/gateway/overview.ts';
import { type FleetNow, ModeKeeper, type NotedOutcomes } from '../services/policy/mode-keeper.ts';
import { policyRoutes } from '../services/policy/policy-routes.ts';
import { policyView } from '../services/policy/policy-view.ts';
import { now } from './clock.ts';

export type PolicyPartOptions = {
  readonly config: Configuration;
  readonly arena: Arena;
  readonly sql: Sql;
  readonly events: ControlEvents;
  readonly log: Logger;
  readonly fleet: () => FleetNow;
  readonly record: (at: number, evaluation: ModeRecord) => void;
};

export type PolicyPart = ReturnType<typeof policyPart>;

export function policyPart(options: PolicyPartOptions) {
  const { arena, log } = options;
  const { policy } = options.config;
  const plan = {
    tickSeconds: policy.tickSeconds,
    firstByteMs: policy.firstByteMs,
    periodDays: policy.periodDays,
  };
  let keeper: ModeKeeper | undefined;
  let timer: NodeJS.Timeout | undefined;
  const opened = (): ModeKeeper => present(keeper, 'the policy service has started');
  const view = () => policyView(opened(), plan, now());

  return {
    routes: () => policyRoutes({ keeper: opened, plan, now }),
    note: (outcomes: NotedOutcomes): void => keeper?.note(outcomes),
    tripped: (backendId: string): void => keeper?.tripped(backendId),
    probed: (isGood: boolean): void => keeper?.probed(isGood),
    modeIndex: (): number => arena.servingModeIndex(),
    /** A mode that is not normal wants to be seen, with the sentence of the page. */
    notices(): readonly Attention[] {
      if (keeper === undefined || modeInForce(keeper.state) === 'normal') return [];
      const { verdict, verdict_level: level } = view();
      const action = 'tensorforge policy';
      return [{ level: level === 'bad' ? 'bad' : 'attention', words: verdict, action }];
    },
    async start(): Promise<void> {
      keeper = await ModeKeeper.open(
        {
          settings: ladderSettings(policy),
          store: servingModeStore(options.sql, options.events),
          fleet: options.fleet,
          publish: (mode, cooldownLeftMs) => {
            const index = modeIndex(mode) ?? 0;
            const before = arena.servingModeIndex();
            arena.setServingMode(index, Math.ceil((now() + cooldownLeftMs) / 1000));
            if (index !== before) log[index > before ? 'warn' : 'info']({ mode }, 'serving mode');
          },
          record: options.record,
          onProblem: (words) => log.error(words),
          onWriteFailed: (error) =>
            log.warn({ error: String(error) }, 'the serving mode could not be written yet'),
        },
        now(),
      );
      const { state } = keeper;
      if (state.pin !== null && !isPinOver(state, now())) {
        log.warn({ ...state.pin }, 'the serving mode is pinned');
      }
      timer = setInterval(() => void opened().tick(now()), policy.tickSeconds * 1000);
    },
    async stop(): Promise<void> {
      clearInterval(timer);
      await keeper?.settled(now()).catch((error: unknown) => {
        log.warn({ error: String(error) }, 'the serving mode could not be written at the end');
      });
    },
  };
}
