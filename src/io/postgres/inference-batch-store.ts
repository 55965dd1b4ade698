// Batches of `/v1/batches` in PostgreSQL: a row each, and while a batch is open a row for each of its
// lines that was answered.
//
//   S1  a line is answered once: a result that is there already is not written again, nor counted.
//   S2  counts, cursor and results change in one transaction; status, output files and event in another.
//   S3  what is ended stays as it is.

import type { z } from 'zod';
import { type Instant, instant } from '../../base/time.ts';
import { type BatchError, batchStatusSchema } from '../../protocol/openai/batch-objects.ts';
import type { Sql, Transaction } from './connection.ts';
import type { ControlEvents, EventToAppend } from './control-events.ts';
import { insertFile, type Page, pageOfRows, type StoredFile } from './inference-file-store.ts';
import type { Row } from './rows.ts';

type BatchObjectStatus = z.infer<typeof batchStatusSchema>;

/** When a batch came to each state it has been in. */
export type BatchTimes = {
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly inProgressAt: Instant | undefined;
  readonly finalizingAt: Instant | undefined;
  readonly completedAt: Instant | undefined;
  readonly failedAt: Instant | undefined;
  readonly expiredAt: Instant | undefined;
  readonly cancellingAt: Instant | undefined;
  readonly cancelledAt: Instant | undefined;
};

/** Lines from the first on that are all answered, and how many bytes of the input they are. */
export type InputCursor = { readonly line: number; readonly byte: number };

export type StoredBatch = BatchTimes & {
  readonly batchId: string;
  readonly groupName: string;
  readonly keyId: string;
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly status: BatchObjectStatus;
  readonly errors: readonly BatchError[] | undefined;
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly cursor: InputCursor;
  readonly outputFileId: string | undefined;
  readonly errorFileId: string | undefined;
};

export type NewBatch = Pick<
  StoredBatch,
  | 'batchId'
  | 'groupName'
  | 'keyId'
  | 'endpoint'
  | 'inputFileId'
  | 'metadata'
  | 'createdAt'
  | 'expiresAt'
>;

/** A line that was answered. */
export type LineResult = {
  /** From 0 on. */
  readonly line: number;
  readonly isError: boolean;
  /** As it will stand in the file. */
  readonly text: string;
};

export type StatusChange = {
  readonly batchId: string;
  /** The change is made only from one of these. */
  readonly from: readonly BatchObjectStatus[];
  readonly to: BatchObjectStatus;
  readonly at: Instant;
  readonly event: EventToAppend | undefined;
  readonly total?: number;
  readonly errors?: readonly BatchError[];
  /** Files that the batch ends with; its results are dropped. */
  readonly files?: {
    readonly output: StoredFile | undefined;
    readonly error: StoredFile | undefined;
  };
};

export type BatchStore = {
  /** Refused without its input file, and while the group has `openMax` open ones. */
  add(
    batch: NewBatch,
    event: EventToAppend,
    openMax: number,
  ): Promise<'added' | 'too_many' | 'no_file'>;
  /** Of whatever group where none is given. */
  get(groupName: string | undefined, batchId: string): Promise<StoredBatch | undefined>;
  /** Newest first; of all groups where none is given. */
  list(query: {
    readonly groupName: string | undefined;
    readonly after: string | undefined;
    readonly limit: number;
  }): Promise<Page<StoredBatch>>;
  /** Those that have not ended, oldest first. */
  open(): Promise<readonly StoredBatch[]>;
  /** The batch after the change; undefined where it was in none of the states it may come from. */
  move(change: StatusChange): Promise<StoredBatch | undefined>;
  /** Writes results and where the input is read from after a restart; the batch as it is then. */
  record(
    batchId: string,
    results: readonly LineResult[],
    cursor: InputCursor,
  ): Promise<StoredBatch | undefined>;
  /** Numbers of the lines from `line` on that are answered. */
  answered(batchId: string, line: number): Promise<readonly number[]>;
  /** All results in the order of the lines, in portions. */
  results(batchId: string): AsyncIterable<readonly LineResult[]>;
};

const timeColumns = {
  validating: 'created_at',
  in_progress: 'in_progress_at',
  finalizing: 'finalizing_at',
  completed: 'completed_at',
  failed: 'failed_at',
  expired: 'expired_at',
  cancelling: 'cancelling_at',
  cancelled: 'cancelled_at',
} as const satisfies Record<BatchObjectStatus, keyof Row<'inference_batches'>>;

/** Results that are read at once; each may be as large as an answer. */
const portion = 32;

function timeOf(at: Date | null): Instant | undefined {
  return at === null ? undefined : instant(at.getTime());
}

function batchOf(row: Row<'inference_batches'>): StoredBatch {
  return {
    batchId: row.batch_id,
    groupName: row.group_name,
    keyId: row.key_id,
    endpoint: row.endpoint,
    inputFileId: row.input_file_id,
    // Both were written here.
    metadata: (row.metadata ?? undefined) as StoredBatch['metadata'],
    errors: (row.errors ?? undefined) as StoredBatch['errors'],
    status: batchStatusSchema.parse(row.status),
    total: row.total,
    completed: row.completed,
    failed: row.failed,
    cursor: { line: row.cursor_line, byte: row.cursor_byte },
    outputFileId: row.output_file_id ?? undefined,
    errorFileId: row.error_file_id ?? undefined,
    createdAt: instant(row.created_at.getTime()),
    expiresAt: instant(row.expires_at.getTime()),
    inProgressAt: timeOf(row.in_progress_at),
    finalizingAt: timeOf(row.finalizing_at),
    completedAt: timeOf(row.completed_at),
    failedAt: timeOf(row.failed_at),
    expiredAt: timeOf(row.expired_at),
    cancellingAt: timeOf(row.cancelling_at),
    cancelledAt: timeOf(row.cancelled_at),
  };
}

const openStatuses: readonly BatchObjectStatus[] = [
  'validating',
  'in_progress',
  'finalizing',
  'cancelling',
];

/** Results that were not there, as counts. */
async function insertResults(
  tx: Transaction,
  batchId: string,
  results: readonly LineResult[],
): Promise<{ readonly completed: number; readonly failed: number }> {
  if (results.length === 0) return { completed: 0, failed: 0 };
  const rows = results.map(({ line, isError, text }) => ({
    batch_id: batchId,
    line,
    is_error: isError,
    text,
  }));
  const fresh = await tx<Pick<Row<'inference_batch_results'>, 'is_error'>[]>`
    insert into inference_batch_results ${tx(rows)}
    on conflict (batch_id, line) do nothing returning is_error`;
  const failed = fresh.filter((row) => row.is_error).length;
  return { completed: fresh.length - failed, failed };
}

async function applyChange(tx: Transaction, change: StatusChange) {
  const { batchId, from, to, at, total, errors, files } = change;
  const columns = {
    status: to,
    [timeColumns[to]]: new Date(at),
    ...(total === undefined ? {} : { total }),
    ...(errors === undefined ? {} : { errors: tx.json(errors.map((one) => ({ ...one }))) }),
    ...(files === undefined
      ? {}
      : {
          output_file_id: files.output?.fileId ?? null,
          error_file_id: files.error?.fileId ?? null,
        }),
  };
  const [row] = await tx<Row<'inference_batches'>[]>`
    update inference_batches set ${tx(columns)}
    where batch_id = ${batchId} and status = any(${[...from]}) returning *`;
  return row;
}

export function inferenceBatchStore(sql: Sql, events: ControlEvents): BatchStore {
  return {
    add: (batch, event, openMax) =>
      sql.begin(async (tx) => {
        // Held until the batch is there, so that nobody removes its input in between.
        const files = await tx`
          select 1 from inference_files where file_id = ${batch.inputFileId}
            and group_name = ${batch.groupName} and purpose = 'batch' for update`;
        if (files.length === 0) return 'no_file';
        const open = await tx`
          select 1 from inference_batches
          where group_name = ${batch.groupName} and status = any(${[...openStatuses]})`;
        if (open.length >= openMax) return 'too_many';
        await tx`
          insert into inference_batches ${tx({
            batch_id: batch.batchId,
            group_name: batch.groupName,
            key_id: batch.keyId,
            endpoint: batch.endpoint,
            input_file_id: batch.inputFileId,
            metadata: batch.metadata === undefined ? null : tx.json(batch.metadata),
            status: 'validating',
            created_at: new Date(batch.createdAt),
            expires_at: new Date(batch.expiresAt),
          })}`;
        await events.append(tx, [event]);
        return 'added';
      }),
    async get(groupName, batchId) {
      const [row] = await sql<Row<'inference_batches'>[]>`
        select * from inference_batches where batch_id = ${batchId}
          and (${groupName === undefined} or group_name = ${groupName ?? ''})`;
      return row === undefined ? undefined : batchOf(row);
    },
    async list({ groupName, after, limit }) {
      const rows = await sql<Row<'inference_batches'>[]>`
        select * from inference_batches
        where (${groupName === undefined} or group_name = ${groupName ?? ''})
          ${
            after === undefined
              ? sql``
              : sql`and sequence < (select sequence from inference_batches
                  where batch_id = ${after}
                    and (${groupName === undefined} or group_name = ${groupName ?? ''}))`
          }
        order by sequence desc limit ${limit + 1}`;
      return pageOfRows(rows.map(batchOf), limit);
    },
    async open() {
      const rows = await sql<Row<'inference_batches'>[]>`
        select * from inference_batches where status = any(${[...openStatuses]}) order by sequence`;
      return rows.map(batchOf);
    },
    move: (change) =>
      sql.begin(async (tx) => {
        const row = await applyChange(tx, change);
        if (row === undefined) return undefined;
        const { batchId, files, event } = change;
        for (const file of [files?.output, files?.error]) {
          if (file !== undefined) await insertFile(tx, file);
        }
        if (files !== undefined) {
          await tx`delete from inference_batch_results where batch_id = ${batchId}`;
        }
        if (event !== undefined) await events.append(tx, [event]);
        return batchOf(row);
      }),
    record: (batchId, results, cursor) =>
      sql.begin(async (tx) => {
        const { completed, failed } = await insertResults(tx, batchId, results);
        const [row] = await tx<Row<'inference_batches'>[]>`
          update inference_batches set
            completed = completed + ${completed}, failed = failed + ${failed},
            cursor_line = ${cursor.line}, cursor_byte = ${cursor.byte}
          where batch_id = ${batchId} returning *`;
        return row === undefined ? undefined : batchOf(row);
      }),
    async answered(batchId, line) {
      const rows = await sql<Pick<Row<'inference_batch_results'>, 'line'>[]>`
        select line from inference_batch_results where batch_id = ${batchId} and line >= ${line}`;
      return rows.map((row) => row.line);
    },
    async *results(batchId) {
      let next = 0;
      for (;;) {
        const rows = await sql<Row<'inference_batch_results'>[]>`
          select * from inference_batch_results where batch_id = ${batchId} and line >= ${next}
          order by line limit ${portion}`;
        const last = rows.at(-1);
        if (last === undefined) return;
        next = last.line + 1;
        yield rows.map((row) => ({ line: row.line, isError: row.is_error, text: row.text }));
      }
    },
  };
}
