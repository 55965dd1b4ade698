// Operations on models of backends in PostgreSQL: one row each, which outlives what ran it. Progress is
// not written while it moves; a row changes when its status does, in one transaction with the event.

import { z } from 'zod';
import type { BackendId } from '../../base/brand.ts';
import { type Instant, instant } from '../../base/time.ts';
import { operationSchema } from '../../protocol/control/fleet-schemas.ts';
import type { Sql, Transaction } from './connection.ts';
import type { ControlEvents, EventToAppend } from './control-events.ts';
import type { Row } from './rows.ts';
import { requireStorable } from './storable-text.ts';

const closedSets = z.object({
  operation_type: operationSchema.shape.operation_type,
  status: operationSchema.shape.status,
});

export type StoredOperation = {
  readonly operationId: string;
  readonly operationType: z.infer<typeof closedSets>['operation_type'];
  readonly modelId: string;
  readonly sourceBackendId: BackendId | undefined;
  readonly targetBackendId: BackendId;
  readonly status: z.infer<typeof closedSets>['status'];
  /** 0 to 100. */
  readonly progressPercent: number;
  readonly initiatedAt: Instant;
  readonly completedAt: Instant | undefined;
  readonly errorDetails: string | undefined;
  /** The download that must complete before this load begins. */
  readonly after: string | undefined;
  /** Who asked for it. */
  readonly actor: string;
};

export type OperationQuery = {
  /** Only those that concern this backend, as source or target. */
  readonly backend?: string | undefined;
  /** 1 to 1000. */
  readonly limit: number;
};

export type OperationStore = {
  /**
   * Writes the rows and appends the events: all or nothing. Changes nothing when all of them have
   * these statuses already, so that whoever lost the answer sends it again.
   */
  save(rows: readonly StoredOperation[], events: readonly EventToAppend[]): Promise<void>;
  /** What had not ended when it was written last, oldest first. */
  loadOpen(): Promise<readonly StoredOperation[]>;
  /** Newest first. */
  list(query: OperationQuery): Promise<readonly StoredOperation[]>;
  get(operationId: string): Promise<StoredOperation | undefined>;
  /** Removes what ended but for the newest `kept`; resolves with how many went. */
  prune(kept: number): Promise<number>;
};

/** A row that a later version wrote with words of its own is not of this version to read. */
function decode(row: Row<'backend_operations'>): StoredOperation | undefined {
  const checked = closedSets.safeParse(row);
  if (!checked.success) return undefined;
  return {
    operationId: row.operation_id,
    operationType: checked.data.operation_type,
    modelId: row.model_id,
    sourceBackendId: (row.source_backend_id ?? undefined) as BackendId | undefined,
    targetBackendId: row.target_backend_id as BackendId,
    status: checked.data.status,
    progressPercent: row.progress_percent,
    initiatedAt: instant(row.initiated_at.getTime()),
    completedAt: row.completed_at === null ? undefined : instant(row.completed_at.getTime()),
    errorDetails: row.error_details ?? undefined,
    after: row.after_operation_id ?? undefined,
    actor: row.actor,
  };
}

async function put(tx: Transaction, operation: StoredOperation): Promise<void> {
  requireStorable(operation.modelId, 'model_id');
  const changeable = {
    status: operation.status,
    progress_percent: operation.progressPercent,
    completed_at: operation.completedAt === undefined ? null : new Date(operation.completedAt),
    error_details: operation.errorDetails ?? null,
  };
  const row = {
    operation_id: operation.operationId,
    operation_type: operation.operationType,
    model_id: operation.modelId,
    source_backend_id: operation.sourceBackendId ?? null,
    target_backend_id: operation.targetBackendId,
    initiated_at: new Date(operation.initiatedAt),
    after_operation_id: operation.after ?? null,
    actor: operation.actor,
    ...changeable,
  };
  await tx`
    insert into backend_operations ${tx(row)}
    on conflict (operation_id) do update set ${tx(changeable)}`;
}

/** Has a write of these, whose answer was lost, been committed? */
async function isWritten(tx: Transaction, rows: readonly StoredOperation[]): Promise<boolean> {
  const ids = rows.map(({ operationId }) => operationId);
  const found = await tx<Pick<Row<'backend_operations'>, 'operation_id' | 'status'>[]>`
    select operation_id, status from backend_operations where operation_id in ${tx(ids)}`;
  const known = new Map(found.map((row) => [row.operation_id, row.status]));
  return rows.every(({ operationId, status }) => known.get(operationId) === status);
}

async function read(
  rows: Promise<readonly Row<'backend_operations'>[]>,
): Promise<readonly StoredOperation[]> {
  return (await rows).flatMap((row) => decode(row) ?? []);
}

export function operationStore(sql: Sql, events: ControlEvents): OperationStore {
  return {
    async save(rows, news) {
      await sql.begin(async (tx) => {
        if (await isWritten(tx, rows)) return;
        for (const row of rows) await put(tx, row);
        if (news.length > 0) await events.append(tx, news);
      });
    },
    loadOpen: () =>
      read(
        sql<Row<'backend_operations'>[]>`
          select * from backend_operations where status in ('pending', 'in_progress')
          order by initiated_at, operation_id`,
      ),
    list: ({ backend, limit }) =>
      read(
        sql<Row<'backend_operations'>[]>`
          select * from backend_operations
          ${
            backend === undefined
              ? sql``
              : sql`where target_backend_id = ${backend} or source_backend_id = ${backend}`
          }
          order by initiated_at desc, operation_id desc
          limit ${Math.min(Math.max(Math.trunc(limit), 1), 1000)}`,
      ),
    async get(operationId) {
      const found = await read(
        sql<Row<'backend_operations'>[]>`
          select * from backend_operations where operation_id = ${operationId}`,
      );
      return found[0];
    },
    async prune(kept) {
      const gone = await sql`
        delete from backend_operations where operation_id in (
          select operation_id from backend_operations where status in ('completed', 'failed')
          order by initiated_at desc, operation_id desc offset ${kept})`;
      return gone.count;
    },
  };
}
