// Transitions of workflows in PostgreSQL, the table `job_transitions`.
//
//   I1  The rows of a group are there together or not at all, next to each other.
//   I2  The sequence of the table has no gap, also where a transaction is rolled back, and rows
//       become visible in its order. For that, writers of several processes take turns by an
//       advisory lock.
//   I3  Whatever waits while a transaction is under way goes into the next one together, in the
//       order it came. So the table takes one connection of the pool, however many transitions
//       happen at once; a transaction for each, side by side, would have all of them wait for the
//       one lock. How many may wait is bounded by whoever appends.
//
// What is at fault in a record is refused before it can spoil a transaction for others. A refusal
// says that the group was not kept, with one exception that no client of a database can close:
// where the connection breaks during the commit, the rows may be there all the same. They are told
// apart like every record that was written and not applied (`settledRecords` of the core).

import { type Fault, fault, invalid, type Violation } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type AnySql, failureCode, type Sql, type Transaction } from '../postgres/connection.ts';
import type { Row } from '../postgres/rows.ts';

/** Any number does, as long as nothing else in the same database uses it. */
const lockKey = 0x7f_0a_12;

/** Longest id or state, so that every entry fits into the index. */
const textBytesMax = 1000;

/** Most records that different callers share a transaction with; one group may be larger. */
const roundRecordsMax = 10_000;

export type TabledTransition = {
  readonly entityId: string;
  readonly from: string;
  readonly to: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
};

type StoredTransition = TabledTransition & {
  /** 1, 2, 3, ... over the whole table. */
  readonly sequence: number;
};

async function insert(tx: Transaction, records: readonly TabledTransition[]): Promise<void> {
  // The lock comes first and by itself: the statement after it sees what the turn before committed.
  await tx`select pg_advisory_xact_lock(${lockKey})`;
  await tx`
    insert into job_transitions (sequence, entity_id, from_state, to_state, timestamp)
    select (select coalesce(max(sequence), 0) from job_transitions) + place,
           entity_id, from_state, to_state, timestamp
    from unnest(${records.map(({ entityId }) => entityId)}::text[],
                ${records.map(({ from }) => from)}::text[],
                ${records.map(({ to }) => to)}::text[],
                ${records.map(({ timestamp }) => timestamp)}::bigint[])
         with ordinality as record (entity_id, from_state, to_state, timestamp, place)`;
}

function violationsOf(record: TabledTransition): readonly Violation[] {
  const violations: Violation[] = [];
  for (const field of ['entityId', 'from', 'to'] as const) {
    const value = record[field];
    const isText = !value.includes('\0') && value.isWellFormed();
    if (isText && Buffer.byteLength(value) <= textBytesMax) continue;
    const bound = `text without NUL, at most ${textBytesMax} bytes long`;
    violations.push({ field, value, bound });
  }
  if (!Number.isSafeInteger(record.timestamp)) {
    violations.push({ field: 'timestamp', value: record.timestamp, bound: 'a safe integer' });
  }
  return violations;
}

type TableFault = Fault<'unstorable_record' | 'database_failed'>;

type Waiting = {
  readonly records: readonly TabledTransition[];
  readonly answer: PromiseWithResolvers<Result<undefined, TableFault>>;
};

export class TransitionTable {
  readonly #sql: Sql;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Keeps all records in their order, or refuses and keeps none. Rejects only for a bug. */
  async append(records: readonly TabledTransition[]): Promise<Result<undefined, TableFault>> {
    for (const record of records) {
      const violations = violationsOf(record);
      if (violations.length === 0) continue;
      return err(invalid('unstorable_record', 'a record of job_transitions', violations));
    }
    const answer = Promise.withResolvers<Result<undefined, TableFault>>();
    this.#waiting.push({ records, answer });
    if (!this.#isWriting) void this.#write();
    return await answer.promise;
  }

  /** Writes round after round until nobody waits (I3). */
  async #write(): Promise<void> {
    this.#isWriting = true;
    for (let round = this.#nextRound(); round.length > 0; round = this.#nextRound()) {
      const records = round.flatMap((group) => group.records);
      try {
        const kept = await this.#insert(records);
        for (const { answer } of round) answer.resolve(kept);
      } catch (error) {
        for (const { answer } of round) answer.reject(error);
      }
    }
    this.#isWriting = false;
  }

  #nextRound(): readonly Waiting[] {
    let records = 0;
    const end = this.#waiting.findIndex((group) => {
      records += group.records.length;
      return records > roundRecordsMax;
    });
    // A group that is too large for any round has one to itself.
    const count = end === -1 ? this.#waiting.length : Math.max(1, end);
    return this.#waiting.splice(0, count);
  }

  async #insert(records: readonly TabledTransition[]): Promise<Result<undefined, TableFault>> {
    try {
      await this.#sql.begin((tx) => insert(tx, records));
      return ok(undefined);
    } catch (error) {
      if (!(error instanceof Error) || failureCode(error) === undefined) throw error;
      return err(fault('database_failed', `job_transitions: ${error.message}`));
    }
  }
}

type TransitionQuery = {
  /** Of every entity when absent. */
  readonly entityId?: string;
  /** Only what has a greater sequence; default 0. */
  readonly after?: number;
  /** At most so many, 1 to 10000. */
  readonly limit: number;
};

/** Transitions in the order they were recorded. */
export async function readTransitions(
  sql: AnySql,
  { entityId, after = 0, limit }: TransitionQuery,
): Promise<readonly StoredTransition[]> {
  const rows = await sql<Row<'job_transitions'>[]>`
    select * from job_transitions
    where sequence > ${after}
      and ${entityId === undefined ? sql`true` : sql`entity_id = ${entityId}`}
    order by sequence
    limit ${Math.min(Math.max(Math.trunc(limit), 1), 10_000)}`;
  return rows.map((row) => ({
    sequence: row.sequence,
    entityId: row.entity_id,
    from: row.from_state,
    to: row.to_state,
    timestamp: row.timestamp,
  }));
}
