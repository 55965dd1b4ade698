// Circuit breakers in PostgreSQL: a row each as of its last transition, written in one transaction with
// the events of the transitions.

import type { Sql, Transaction } from './connection.ts';
import type { ControlEvents, EventToAppend } from './control-events.ts';
import type { Row } from './rows.ts';

export type StoredBreaker = {
  /** `backend:ID` or `backend:ID/model:M`. */
  readonly subject: string;
  readonly state: 'closed' | 'open' | 'half_open';
  readonly failures: number;
  readonly successes: number;
  /** Unix ms. */
  readonly movedAt: number;
  /** When it opened last, Unix ms; undefined once it is closed. */
  readonly openedAt: number | undefined;
  readonly lastFailure: string | undefined;
};

/** One transition: the row after it, and its event. */
export type BreakerWrite = { readonly row: StoredBreaker; readonly event: EventToAppend };

export type BreakerStore = {
  /** Those that are not closed and moved at or after `since`, Unix ms, by subject. */
  load(since: number): Promise<readonly StoredBreaker[]>;
  /** Rows and events, all or nothing; of several writes of one breaker the last is its row. */
  append(writes: readonly BreakerWrite[]): Promise<void>;
  /** The breakers of a backend, or of one model of it. */
  forget(subject: string): Promise<void>;
};

function rowOf(breaker: StoredBreaker): Row<'circuit_breaker_state'> {
  return {
    service_id: breaker.subject,
    state: breaker.state,
    failure_count: breaker.failures,
    success_count: breaker.successes,
    last_transition: new Date(breaker.movedAt),
    opened_at: breaker.openedAt === undefined ? null : new Date(breaker.openedAt),
    last_failure: breaker.lastFailure ?? null,
  };
}

/** Undefined for a state that a later version wrote. */
function breakerOf(row: Row<'circuit_breaker_state'>): StoredBreaker | undefined {
  const { state } = row;
  if (state !== 'open' && state !== 'half_open') return undefined;
  return {
    subject: row.service_id,
    state,
    failures: row.failure_count,
    successes: row.success_count,
    movedAt: row.last_transition.getTime(),
    openedAt: row.opened_at?.getTime(),
    lastFailure: row.last_failure ?? undefined,
  };
}

async function put(tx: Transaction, writes: readonly BreakerWrite[]): Promise<void> {
  const latest = new Map(writes.map(({ row }) => [row.subject, row]));
  const rows = [...latest.values()].map(rowOf);
  await tx`
    insert into circuit_breaker_state ${tx(rows)}
    on conflict (service_id) do update set
      state = excluded.state,
      failure_count = excluded.failure_count,
      success_count = excluded.success_count,
      last_transition = excluded.last_transition,
      opened_at = excluded.opened_at,
      last_failure = excluded.last_failure`;
}

export function breakerStore(sql: Sql, events: ControlEvents): BreakerStore {
  return {
    async load(since) {
      const rows = await sql<Row<'circuit_breaker_state'>[]>`
        select * from circuit_breaker_state
        where state <> 'closed' and last_transition >= ${new Date(since)}
        order by service_id collate "C"`;
      return rows.flatMap((row) => breakerOf(row) ?? []);
    },
    async append(writes) {
      if (writes.length === 0) return;
      await sql.begin(async (tx) => {
        await put(tx, writes);
        await events.append(
          tx,
          writes.map(({ event }) => event),
        );
      });
    },
    async forget(subject) {
      await sql`
        delete from circuit_breaker_state
        where service_id = ${subject} or starts_with(service_id, ${`${subject}/model:`})`;
    },
  };
}
