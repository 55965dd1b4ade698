// The control events of batches.

import type { Instant } from '../../base/time.ts';
import type { EventToAppend } from '../../io/postgres/control-events.ts';
import type { StoredBatch } from '../../io/postgres/inference-batch-store.ts';

type Named = Pick<StoredBatch, 'batchId' | 'groupName' | 'endpoint'>;

function eventOf(kind: string, batch: Named, at: Instant, actor: string): EventToAppend {
  return {
    stream: 'edge',
    kind,
    version: 1,
    occurredAt: at,
    actor,
    subject: `batch:${batch.batchId}`,
    data: { group: batch.groupName, endpoint: batch.endpoint },
  };
}

export function batchCreated(
  batch: Named & Pick<StoredBatch, 'inputFileId'>,
  at: Instant,
  actor: string,
): EventToAppend {
  const event = eventOf('batch_created', batch, at, actor);
  return { ...event, data: { ...event.data, input_file_id: batch.inputFileId } };
}

/** `batch` is as it was before the change. */
export function batchStateChanged(
  batch: Named & Pick<StoredBatch, 'status' | 'completed' | 'failed' | 'total'>,
  to: StoredBatch['status'],
  at: Instant,
  actor: string,
): EventToAppend {
  const { status: from, completed, failed, total } = batch;
  const event = eventOf('batch_state_changed', batch, at, actor);
  return { ...event, data: { ...event.data, from, to, completed, failed, total } };
}
