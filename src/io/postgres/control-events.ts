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
  /** At most so many, 1 to 10000. */
  readonly limit: number;
};

function isData(data: unknown): data is StoredEvent['data'] {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

/**
 * The first events that the query asks for: those of a stream in its sequence, a timeline over all of
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
    order by ${query.isTimeline === true ? sql`occurred_at, stream, sequence` : sql`stream, sequence`}
    limit ${limit}`;
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
