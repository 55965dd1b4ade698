// An operation between its three forms: the machine's, the row, the event.

import { elapsedMs, type Instant } from '../../base/time.ts';
import type { TrackedOperation } from '../../core/backends/lifecycle.ts';
import type { LifecycleOperation } from '../../core/backends/operation.ts';
import type { EventToAppend } from '../../io/postgres/control-events.ts';
import type { StoredOperation } from '../../io/postgres/operation-store.ts';

/** An operation that has not ended, and who asked for it. */
export type OpenOperation = { readonly tracked: TrackedOperation; readonly actor: string };

export function rowOf({ tracked, actor }: OpenOperation): StoredOperation {
  const { etaMs: _, ...operation } = tracked.operation;
  return { ...operation, after: tracked.after, actor };
}

export function operationOf(row: StoredOperation): LifecycleOperation {
  const { after: _after, actor: _actor, ...operation } = row;
  return { ...operation, etaMs: undefined };
}

/**
 * As it is taken up again. Its time goes on from its begin; that of a download, and of what began after
 * one, is counted anew, since when it last moved is not known.
 */
export function openOf(row: StoredOperation, now: Instant): OpenOperation {
  const isAnew = row.operationType === 'download' || row.after !== undefined;
  const timeFrom = isAnew ? now : row.initiatedAt;
  const tracked = { operation: operationOf(row), after: row.after, timeFrom };
  return { tracked, actor: row.actor };
}

/** The event of a change; `at` is when. `next` is the load that waits for this download. */
export function operationEvent(
  { tracked, actor }: OpenOperation,
  news: 'started' | 'completed' | 'failed',
  at: Instant,
  next?: string,
): EventToAppend {
  const { operation } = tracked;
  return {
    stream: 'backends',
    kind: `operation_${news}`,
    version: 1,
    occurredAt: at,
    actor,
    subject: `backend:${operation.targetBackendId}`,
    data: {
      operation_id: operation.operationId,
      operation_type: operation.operationType,
      model_id: operation.modelId,
      source_backend_id: operation.sourceBackendId ?? null,
      target_backend_id: operation.targetBackendId,
      next_operation_id: next ?? null,
      ...(news === 'started' ? {} : { duration_ms: elapsedMs(operation.initiatedAt, at) }),
      ...(news === 'failed' ? { error: operation.errorDetails ?? '' } : {}),
    },
  };
}
