// Shadow traffic, wired: what the copies of all threads came to is written, and read by the control API.

import type { Configuration } from '../config/options.ts';
import type { Logger } from '../io/log/logger.ts';
import type { Sql } from '../io/postgres/connection.ts';
import { shadowStore } from '../io/postgres/shadow-store.ts';
import { ShadowLedger } from '../services/gateway/shadow-ledger.ts';
import { shadowRoutes } from '../services/gateway/shadow-routes.ts';
import type { ShadowReport } from '../services/gateway/shadow-ticket.ts';

export type ShadowPartOptions = {
  readonly sql: Sql;
  readonly log: Logger;
  /** What is in force. */
  readonly config: () => Configuration;
  /** Has the gateway threads report. */
  readonly flush: () => Promise<void>;
};

const writeEveryMs = 5000;

export function shadowPart({ sql, log, config, flush }: ShadowPartOptions) {
  const store = shadowStore(sql);
  const ledger = new ShadowLedger({
    store,
    onFailed: (error, lost) =>
      log.warn({ error: String(error), lost }, 'comparisons of copies could not be written'),
  });
  let timer: NodeJS.Timeout | undefined;
  return {
    note(report: ShadowReport | undefined): void {
      if (report !== undefined) ledger.add(report);
    },
    routes: () =>
      shadowRoutes({
        store,
        ledger,
        flush: async () => {
          await flush();
          await ledger.flush();
        },
        rules: () => config().routing.shadows,
      }),
    start(): void {
      timer = setInterval(() => void ledger.flush(), writeEveryMs);
    },
    async stop(): Promise<void> {
      clearInterval(timer);
      await ledger.flush();
    },
  };
}
