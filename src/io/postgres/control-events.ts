// Writing and reading control events. An append happens in the transaction of the change it tells of:
// both are committed or neither is. The row of the stream's head is locked until then, so writers of
// one stream take turns and its sequence has no gap even when a transaction is rolled back.
//
// How a chain is made is a rule of the core; it is given to this shell, which knows PostgreSQL and
// SHA-256 and nothing of what the events mean.

import { randomUUID } from 'node:crypto';
import type { Json } from '../../base/canonical.ts';
import { compareText } from '../../base/compare.ts';
import { type Instant, instant } from '../../base/time.ts';
import { nodeCrypto } from '../credentials/crypto.ts';
import type { AnySql, Transaction } from './connection.ts';
import type { Row } from './rows.ts';

export type EventToAppend = {
  readonly stream: string;
  readonly kind: string;
  readonly version: number;
  readonly occurredAt: Instant;
  readonly actor: string;
  readonly subject: string;
  readonly data: { readonly [member: string]: Json | undefined };
};

type IdentifiedEvent = EventToAppend & { readonly id: string };

export type StoredEvent = IdentifiedEvent & {
  readonly sequence: number;
  readonly prevHash: string;
  readonly hash: string;
};

/** Gives events their places after `head`; `chainEvents` of the core. */
export type ChainEvents = (
  head: { readonly sequence: number; readonly hash: string },
  events: readonly IdentifiedEvent[],
  digest: (text: string) => string,
) => readonly StoredEvent[];

function groupByStream(events: readonly EventToAppend[]): Map<string, EventToAppend[]> {
  const streams = new Map<string, EventToAppend[]>();
  for (const event of events) {
    const known = streams.get(event.stream);
    if (known === undefined) streams.set(event.stream, [event]);
    else known.push(event);
  }
  return streams;
}

/** Locks the head of the stream, making the stream where it is new. */
async function lockHead(tx: Transaction, stream: string): Promise<Row<'event_streams'>> {
  const [head] = await tx<[Row<'event_streams'>]>`
    insert into event_streams (stream, sequence, hash) values (${stream}, 0, '')
    on conflict (stream) do update set sequence = event_streams.sequence
    returning stream, sequence, hash`;
  return head;
}

async function insertEvents(tx: Transaction, events: readonly StoredEvent[]): Promise<void> {
  const rows = events.map((event) => ({
    stream: event.stream,
    sequence: event.sequence,
    id: event.id,
    kind: event.kind,
    version: event.version,
    occurred_at: new Date(event.occurredAt),
    actor: event.actor,
    subject: event.subject,
    data: tx.json(event.data),
    prev_hash: event.prevHash,
    hash: event.hash,
  }));
  await tx`insert into control_events ${tx(rows)}`;
}

export type ControlEvents = {
  /**
   * Appends in the given order per stream, inside the caller's transaction, and returns the events
   * with their places. A transaction appends once: several appends to several streams could wait
   * for each other.
   */
  append(tx: Transaction, events: readonly EventToAppend[]): Promise<readonly StoredEvent[]>;
};

export function controlEvents(chain: ChainEvents): ControlEvents {
  return {
    async append(tx, events) {
      const stored: StoredEvent[] = [];
      const streams = [...groupByStream(events)].sort(([a], [b]) => compareText(a, b));
      for (const [stream, news] of streams) {
        const head = await lockHead(tx, stream);
        const identified = news.map((event) => ({ ...event, id: randomUUID() }));
        const chained = chain(head, identified, nodeCrypto.sha256Hex);
        await insertEvents(tx, chained);
        const last = chained.at(-1);
        await tx`
          update event_streams set sequence = ${last?.sequence ?? head.sequence},
                                   hash = ${last?.hash ?? head.hash}
          where stream = ${stream}`;
        stored.push(...chained);
      }
      return stored;
    },
  };
}

export type EventQuery = {
  /** Every stream when absent, one after the other. */
  readonly stream?: string | undefined;
  readonly kind?: string | undefined;
  /** Unix ms; both ends of the window belong to it. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Only events with a greater sequence in their stream; default 0. */
  readonly after?: number | undefined;
  /** All streams as one, by time; without it one stream after the other. */
  readonly isTimeline?: boolean;
  /** The last that the query asks for instead of the first; in the same order. */
  readonly isNewest?: boolean;
  /** At most so many, 1 to 10000. */
  readonly limit: number;
};

function isData(data: unknown): data is StoredEvent['data'] {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

function orderOf(sql: AnySql, { isTimeline, isNewest }: EventQuery) {
  if (isNewest !== true) {
    return isTimeline === true ? sql`occurred_at, stream, sequence` : sql`stream, sequence`;
  }
  return isTimeline === true
    ? sql`occurred_at desc, stream desc, sequence desc`
    : sql`stream desc, sequence desc`;
}

/**
 * The first events that the query asks for, or the last: those of a stream in its sequence, a timeline over all of
 * them by time, and what happened within one millisecond by stream and sequence.
 */
export async function readEvents(sql: AnySql, query: EventQuery): Promise<readonly StoredEvent[]> {
  const limit = Math.min(Math.max(Math.trunc(query.limit), 1), 10_000);
  const { stream, kind, fromMs, toMs } = query;
  const rows = await sql<Row<'control_events'>[]>`
    select * from control_events
    where sequence > ${query.after ?? 0}
      ${stream === undefined ? sql`` : sql`and stream = ${stream}`}
      ${kind === undefined ? sql`` : sql`and kind = ${kind}`}
      ${fromMs === undefined ? sql`` : sql`and occurred_at >= ${new Date(fromMs)}`}
      ${toMs === undefined ? sql`` : sql`and occurred_at <= ${new Date(toMs)}`}
    order by ${orderOf(sql, query)}
    limit ${limit}`;
  if (query.isNewest === true) rows.reverse();
  return rows.map((row) => ({
    stream: row.stream,
    sequence: row.sequence,
    id: row.id,
    kind: row.kind,
    version: row.version,
    occurredAt: instant(row.occurred_at.getTime()),
    actor: row.actor,
    subject: row.subject,
    data: isData(row.data) ? row.data : {},
    prevHash: row.prev_hash,
    hash: row.hash,
  }));
}

export type StoredHead = {
  readonly stream: string;
  readonly sequence: number;
  readonly hash: string;
};

/** The head of every stream that has events, as writers left them at one moment, by stream. */
export async function readHeads(sql: AnySql): Promise<readonly StoredHead[]> {
  return await sql<StoredHead[]>`
    select stream, sequence, hash from event_streams
    where sequence > 0 order by stream collate "C"`;
}

/**
 * The head of every stream beside the highest sequence of its events, both of one moment. Streams
 * without a head row are told as well, with the head 0.
 */
export async function readStreamEnds(
  sql: AnySql,
): Promise<readonly (StoredHead & { readonly lastSequence: number })[]> {
  // One probe of the primary key per stream, where `distinct` would read every event.
  const rows = await sql<(StoredHead & { readonly last_sequence: number })[]>`
    with recursive written as (
      (select stream from control_events order by stream limit 1)
      union all
      select (select e.stream from control_events e where e.stream > w.stream
              order by e.stream limit 1)
      from written w where w.stream is not null
    ),
    named as (
      select stream from written where stream is not null union select stream from event_streams
    )
    select n.stream, coalesce(h.sequence, 0) as sequence, coalesce(h.hash, '') as hash,
           coalesce((select e.sequence from control_events e where e.stream = n.stream
                     order by e.sequence desc limit 1), 0) as last_sequence
    from named n left join event_streams h using (stream)
    order by n.stream collate "C"`;
  return rows.map(({ stream, sequence, hash, last_sequence }) => {
    return { stream, sequence, hash, lastSequence: last_sequence };
  });
}

/** The hashes of the events at these places; places without an event are left out. */
export async function readHashesAt(
  sql: AnySql,
  places: readonly { readonly stream: string; readonly sequence: number }[],
): Promise<readonly StoredHead[]> {
  if (places.length === 0) return [];
  return await sql<StoredHead[]>`
    select stream, sequence, hash
    from unnest(${places.map(({ stream }) => stream)}::text[],
                ${places.map(({ sequence }) => sequence)}::bigint[]) as place (stream, sequence)
    join control_events using (stream, sequence)`;
}

export type EventRun = { readonly stream: string; readonly first: number; readonly last: number };

/** The first and the last sequence of each stream within a window of time, by stream. */
export async function readRuns(
  sql: AnySql,
  { stream, fromMs, toMs }: Pick<EventQuery, 'stream' | 'fromMs' | 'toMs'>,
): Promise<readonly EventRun[]> {
  return await sql<EventRun[]>`
    select stream, min(sequence) as first, max(sequence) as last from control_events
    where true
      ${stream === undefined ? sql`` : sql`and stream = ${stream}`}
      ${fromMs === undefined ? sql`` : sql`and occurred_at >= ${new Date(fromMs)}`}
      ${toMs === undefined ? sql`` : sql`and occurred_at <= ${new Date(toMs)}`}
    group by stream order by stream collate "C"`;
}

/** Has this been told of this subject before? */
export async function hasEvent(
  sql: AnySql,
  { kind, subject }: { readonly kind: string; readonly subject: string },
): Promise<boolean> {
  const [found] = await sql`
    select 1 from control_events where subject = ${subject} and kind = ${kind} limit 1`;
  return found !== undefined;
}
