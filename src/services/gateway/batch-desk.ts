// Batches as their makers and operators meet them: made, looked at, cancelled.

import { randomBytes } from 'node:crypto';
import { type Instant, instant } from '../../base/time.ts';
import { isCancellable } from '../../core/batches/batch-status.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { Principal } from '../../io/http/control-route.ts';
import type { BatchStore, StoredBatch } from '../../io/postgres/inference-batch-store.ts';
import type { Page } from '../../io/postgres/inference-file-store.ts';
import { requireStorable } from '../../io/postgres/storable-text.ts';
import { batchCreated, batchStateChanged } from './batch-event.ts';
import type { BatchRunner } from './batch-runner.ts';

export type BatchDeskOptions = {
  readonly store: BatchStore;
  readonly runner: Pick<BatchRunner, 'created' | 'cancelled'>;
  readonly now: () => Instant;
};

type Caller = Pick<Principal, 'groupName' | 'keyId' | 'text'>;

export type BatchRequest = {
  readonly inputFileId: string;
  readonly endpoint: string;
  readonly metadata: Readonly<Record<string, string>> | undefined;
};

/** The one completion window that OpenAI offers: 24h. */
const windowMs = 86_400_000;
/** Open batches of one group at most. */
const openMax = 100;

function batchNotFound(batchId: string): TensorForgeError {
  return new TensorForgeError('not_found', `There is no batch ${batchId.slice(0, 100)}.`);
}

export class BatchDesk {
  readonly #options: BatchDeskOptions;

  constructor(options: BatchDeskOptions) {
    this.#options = options;
  }

  async create(caller: Caller, request: BatchRequest): Promise<StoredBatch> {
    const { store, now, runner } = this.#options;
    const createdAt = now();
    const batch = {
      ...request,
      batchId: `batch_${randomBytes(12).toString('hex')}`,
      groupName: caller.groupName,
      keyId: caller.keyId,
      createdAt,
      expiresAt: instant(createdAt + windowMs),
    };
    for (const [name, value] of Object.entries(request.metadata ?? {})) {
      requireStorable(name, 'metadata');
      requireStorable(value, 'metadata');
    }
    const event = batchCreated(batch, createdAt, caller.text);
    const outcome = await store.add(batch, event, openMax);
    if (outcome === 'no_file') {
      const words = `There is no file ${request.inputFileId} of the purpose batch.`;
      throw new TensorForgeError('invalid_request', words, { param: 'input_file_id' });
    }
    if (outcome === 'too_many') {
      const words = `${openMax} batches of the group have not ended, its limit. Wait for one of them.`;
      throw new TensorForgeError('rate_limit_exceeded', words);
    }
    const made = await this.get(caller.groupName, batch.batchId);
    runner.created(made);
    return made;
  }

  /** Of whatever group where none is given. */
  async get(groupName: string | undefined, batchId: string): Promise<StoredBatch> {
    const batch = await this.#options.store.get(groupName, batchId);
    if (batch === undefined) throw batchNotFound(batchId);
    return batch;
  }

  list(
    groupName: string | undefined,
    query: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<Page<StoredBatch>> {
    return this.#options.store.list({ groupName, after: query.after, limit: query.limit });
  }

  /** The batch as it is being cancelled, or as it was cancelled before. */
  async cancel(caller: Caller, batchId: string): Promise<StoredBatch> {
    const { store, now, runner } = this.#options;
    const batch = await this.get(caller.groupName, batchId);
    if (!isCancellable(batch.status)) throw notCancellable(batch);
    if (batch.status === 'cancelling') return batch;
    const at = now();
    const event = batchStateChanged(batch, 'cancelling', at, caller.text);
    const from = ['validating', 'in_progress'] as const;
    const moved = await store.move({ batchId, from, to: 'cancelling', at, event });
    if (moved === undefined) throw notCancellable(await this.get(caller.groupName, batchId));
    void runner.cancelled(moved);
    return moved;
  }
}

function notCancellable({ batchId, status }: StoredBatch): TensorForgeError {
  return new TensorForgeError('bad_state', `${batchId} is ${status} and cannot be cancelled.`);
}
