// The serving mode in PostgreSQL: one row for each scope, the counts its burn rates are made of, and
// the events of its stream. What a state means is a rule of the core; here it is a document.
//
//   W1  A write is one transaction: row, counts and events are there together or not at all.
//   W2  A write with the id of the last one changes nothing: whoever lost its answer sends it again.
//   W3  Counts are written as they are, not added, so that a repeated write is harmless.

import type { Json } from '../../base/canonical.ts';
import type { AnySql, Sql, Transaction } from './connection.ts';
import {
  type ControlEvents,
  type EventToAppend,
  readEvents,
  type StoredEvent,
} from './control-events.ts';
import type { Row } from './rows.ts';

/** v1 of the platform has one serving mode for the whole installation. */
const scope = 'global';
const stream = 'policy';

/** Counts of one minute or one day, by its number since 1970. */
export type SlotCounts = { readonly slot: number; readonly total: number; readonly bad: number };

export type ModeWrite = {
  /** UUID, one for each write. */
  readonly id: string;
  readonly mode: string;
  /** Unix ms. */
  readonly since: number;
  readonly at: number;
  readonly state: Json;
  readonly pin: Json;
  readonly minutes: readonly SlotCounts[];
  readonly days: readonly SlotCounts[];
  /** Older slots are removed. */
  readonly firstMinute: number;
  readonly firstDay: number;
  /** In the order in which they happened. */
  readonly events: readonly EventToAppend[];
};

export type StoredMode = {
  /** As stored, unchecked; undefined at the very first start. */
  readonly row:
    | { readonly mode: string; readonly state: unknown; readonly pin: unknown }
    | undefined;
  /** Ascending. */
  readonly minutes: readonly SlotCounts[];
  readonly days: readonly SlotCounts[];
};

async function putSlots(
  tx: Transaction,
  table: 'slo_minutes' | 'slo_days',
  slots: readonly SlotCounts[],
  first: number,
): Promise<void> {
  const column = table === 'slo_minutes' ? 'minute' : 'day';
  if (slots.length > 0) {
    const rows = slots.map(({ slot, total, bad }) => ({ scope, [column]: slot, total, bad }));
    await tx`
      insert into ${tx(table)} ${tx(rows)}
      on conflict (scope, ${tx(column)}) do update set total = excluded.total, bad = excluded.bad`;
  }
  await tx`delete from ${tx(table)} where scope = ${scope} and ${tx(column)} < ${first}`;
}

async function putRow(tx: Transaction, write: ModeWrite): Promise<void> {
  const row = {
    mode: write.mode,
    since: new Date(write.since),
    state: tx.json(write.state),
    pin: write.pin === null ? null : tx.json(write.pin),
    write_id: write.id,
    updated_at: new Date(write.at),
  };
  await tx`
    insert into serving_modes ${tx({ scope, ...row })}
    on conflict (scope) do update set ${tx(row)}`;
}

async function lastWriteId(sql: AnySql): Promise<string | undefined> {
  const [row] = await sql<Pick<Row<'serving_modes'>, 'write_id'>[]>`
    select write_id from serving_modes where scope = ${scope}`;
  return row?.write_id;
}

async function load(sql: Sql): Promise<StoredMode> {
  const [row] = await sql<Row<'serving_modes'>[]>`
    select * from serving_modes where scope = ${scope}`;
  const minutes = await sql<Row<'slo_minutes'>[]>`
    select * from slo_minutes where scope = ${scope} order by minute`;
  const days = await sql<Row<'slo_days'>[]>`
    select * from slo_days where scope = ${scope} order by day`;
  return {
    row,
    minutes: minutes.map(({ minute, total, bad }) => ({ slot: minute, total, bad })),
    days: days.map(({ day, total, bad }) => ({ slot: day, total, bad })),
  };
}

/** The newest events of the stream, newest first, 1 to 1000. */
async function readMoves(sql: Sql, limit: number): Promise<readonly StoredEvent[]> {
  const [head] = await sql<Pick<Row<'event_streams'>, 'sequence'>[]>`
    select sequence from event_streams where stream = ${stream}`;
  const after = Math.max(0, (head?.sequence ?? 0) - limit);
  return [...(await readEvents(sql, { stream, after, limit }))].reverse();
}

export type ServingModeStore = {
  load(): Promise<StoredMode>;
  /** One transaction (W1); sent again under the same id it changes nothing (W2). */
  save(write: ModeWrite): Promise<void>;
  /** The id of the write that was committed last. */
  lastWriteId(): Promise<string | undefined>;
  /** Keeps the row, which nobody could read, under a scope of its own; `at` in Unix ms. */
  setAside(at: number): Promise<void>;
  readMoves(limit: number): Promise<readonly StoredEvent[]>;
};

export function servingModeStore(sql: Sql, events: ControlEvents): ServingModeStore {
  return {
    load: () => load(sql),
    lastWriteId: () => lastWriteId(sql),
    readMoves: (limit) => readMoves(sql, limit),
    async save(write) {
      await sql.begin(async (tx) => {
        if ((await lastWriteId(tx)) === write.id) return;
        await putRow(tx, write);
        await putSlots(tx, 'slo_minutes', write.minutes, write.firstMinute);
        await putSlots(tx, 'slo_days', write.days, write.firstDay);
        if (write.events.length > 0) await events.append(tx, write.events);
      });
    },
    async setAside(at) {
      await sql`
        update serving_modes set scope = ${`${scope}, unreadable, ${new Date(at).toISOString()}`}
        where scope = ${scope}`;
    },
  };
}
