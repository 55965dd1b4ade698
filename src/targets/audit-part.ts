// The audit trail, wired: events read, sealed once a minute, verified and exported.

import { join } from 'node:path';
import { openSigningKey } from '../io/credentials/signing-key.ts';
import type { ControlRoute } from '../io/http/control-route.ts';
import type { Logger } from '../io/log/logger.ts';
import type { Sql } from '../io/postgres/connection.ts';
import { type ControlEvents, readEvents } from '../io/postgres/control-events.ts';
import { AnchorFile } from '../services/audit/anchor-file.ts';
import { auditRoutes } from '../services/audit/audit-routes.ts';
import { AuditSeals } from '../services/audit/audit-seals.ts';
import { AuditTrail } from '../services/audit/audit-trail.ts';
import { trailRoutes } from '../services/audit/trail-routes.ts';
import { type DecisionCheck, postgresTrail } from '../services/audit/trail-source.ts';
import type { Attention } from '../services/gateway/overview.ts';
import { now } from './clock.ts';

export type AuditPartOptions = {
  readonly dataFolder: string;
  readonly sql: Sql;
  readonly events: ControlEvents;
  readonly log: Logger;
  /** Verifies the decision log. */
  readonly decisions: () => Promise<DecisionCheck>;
};

/** Private half of the key that signs seals, and the second place that knows them. */
const keyFileName = 'audit-signing.key';
const anchorFileName = 'audit-anchors.jsonl';

export type AuditPart = ReturnType<typeof auditPart>;

export function auditPart({ dataFolder, sql, events, log, decisions }: AuditPartOptions) {
  const key = openSigningKey(join(dataFolder, keyFileName));
  const anchors = new AnchorFile(join(dataFolder, anchorFileName));
  const seals = new AuditSeals({
    sql,
    events,
    key,
    anchors,
    now,
    onError: (error) => log.error({ error: String(error) }, 'the audit trail could not be sealed'),
  });
  let broken: string | undefined;
  const trail = new AuditTrail({
    sql,
    events,
    key,
    now,
    source: postgresTrail({ sql, key, anchors, decisions }),
    onBroken: (words) => {
      if (words !== undefined && words !== broken) log.error(words);
      broken = words;
    },
  });

  return {
    routes: (): readonly ControlRoute[] => [
      ...auditRoutes({ read: (query) => readEvents(sql, query) }),
      ...trailRoutes(trail),
    ],
    /** Called now and then. */
    sweep: (): void => void seals.tick(),
    notices: (): readonly Attention[] =>
      broken === undefined
        ? []
        : [{ level: 'bad', words: broken, action: 'tensorforge audit verify' }],
    /** Whether it is whole is not known after a start: looks, in the background. */
    check(): void {
      trail.verify({ anchors: true }).catch((error: unknown) => {
        log.warn({ error: String(error) }, 'the audit trail could not be verified at the start');
      });
    },
    stop: () => seals.stop(),
  };
}
