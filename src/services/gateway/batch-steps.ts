// The life of a batch, step by step: validated, run, finished. Each step begins from what the store says
// and ends there, so that one that fails, or that a restart cut, is simply made again.
//
//   validating --validate--> in_progress --(run: batch-runner.ts)--> finalizing --finish--> completed
//        \--> failed                                                cancelling --finish--> cancelled

import { err } from '../../base/result.ts';
import type { Instant } from '../../base/time.ts';
import type { ContentFolder } from '../../io/files/content-folder.ts';
import { isMissing } from '../../io/files/private-file.ts';
import type {
  BatchStore,
  StatusChange,
  StoredBatch,
} from '../../io/postgres/inference-batch-store.ts';
import { type BatchEndpoint, batchEndpoints } from '../../protocol/openai/batch-line.ts';
import type { BatchError } from '../../protocol/openai/batch-objects.ts';
import { batchStateChanged } from './batch-event.ts';
import { writeBatchFiles } from './batch-files.ts';
import { type ModelCheck, validateInput } from './batch-validation.ts';

export type StepPorts = {
  readonly store: BatchStore;
  readonly contents: ContentFolder;
  /** What the key may ask now. */
  readonly modelsOf: (keyId: string) => ModelCheck;
  /** Begins to ask the lines of a batch that was validated. */
  readonly run: (batch: StoredBatch) => Promise<void>;
  readonly now: () => Instant;
  readonly monotonicMs: () => number;
  readonly newLineId: () => string;
  /** A step failed and is tried again. */
  readonly onFailed: (batchId: string, error: unknown) => void;
};

export const unreadableInput: BatchError = {
  code: 'input_unreadable',
  message: 'The input file can no longer be read.',
  param: null,
  line: null,
};

const failureRestMs = 5000;

export function endpointOf(batch: Pick<StoredBatch, 'endpoint'>): BatchEndpoint {
  // No other is let in.
  return batchEndpoints.find((one) => one === batch.endpoint) ?? '/v1/chat/completions';
}

export class BatchSteps {
  readonly #ports: StepPorts;
  /** Batches that a step is made with now. */
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #retryAtMs = new Map<string, number>();
  /** Validations follow one another. */
  #validating: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(ports: StepPorts) {
    this.#ports = ports;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Makes the next step of a batch that is as told. */
  advance(batch: StoredBatch): void {
    const { batchId } = batch;
    if (this.#isStopped || this.#underWay.has(batchId)) return;
    const step = this.#step(batch).then(
      (next) => {
        this.#underWay.delete(batchId);
        if (next !== undefined) this.advance(next);
      },
      (error: unknown) => {
        this.#underWay.delete(batchId);
        this.failed(batchId, error);
      },
    );
    this.#underWay.set(batchId, step);
  }

  /** Makes the next step of the batch as the store has it. */
  async resume(batchId: string): Promise<void> {
    try {
      const batch = await this.#ports.store.get(undefined, batchId);
      if (batch !== undefined) this.advance(batch);
    } catch (error) {
      this.failed(batchId, error);
    }
  }

  /** Something of this batch failed: it is resumed a moment later. */
  failed(batchId: string, error: unknown): void {
    if (this.#isStopped) return;
    this.#ports.onFailed(batchId, error);
    this.#retryAtMs.set(batchId, this.#ports.monotonicMs() + failureRestMs);
  }

  /** Called now and then. */
  retry(): void {
    const nowMs = this.#ports.monotonicMs();
    for (const [batchId, atMs] of this.#retryAtMs) {
      if (nowMs < atMs) continue;
      this.#retryAtMs.delete(batchId);
      void this.resume(batchId);
    }
  }

  /** Resolves once no step is made with this batch. */
  async settled(batchId: string): Promise<void> {
    while (this.#underWay.has(batchId)) await this.#underWay.get(batchId);
  }

  /** Changes the state and tells of it; undefined where the batch is in none of `from` any more. */
  move(
    batch: StoredBatch,
    change: Omit<StatusChange, 'batchId' | 'at' | 'event'>,
  ): Promise<StoredBatch | undefined> {
    const at = this.#ports.now();
    const event = batchStateChanged(batch, change.to, at, 'service:gateway');
    return this.#ports.store.move({ ...change, batchId: batch.batchId, at, event });
  }

  /** Nothing of the batch can be asked any more. */
  async fail(batch: StoredBatch, error: BatchError): Promise<void> {
    try {
      await this.move(batch, { from: ['in_progress'], to: 'failed', errors: [error] });
    } catch (cause) {
      this.failed(batch.batchId, cause);
    }
  }

  /** The batch after the step, where another one follows at once. */
  async #step(batch: StoredBatch): Promise<StoredBatch | undefined> {
    switch (batch.status) {
      case 'validating': {
        const validated = this.#validating.then(() => this.#validate(batch));
        this.#validating = validated.catch(() => undefined);
        return validated;
      }
      case 'in_progress':
        await this.#ports.run(batch);
        return undefined;
      case 'finalizing':
      case 'cancelling':
        await this.#finish(batch);
        return undefined;
      default:
        return undefined;
    }
  }

  async #validate(batch: StoredBatch): Promise<StoredBatch | undefined> {
    const { batchId, keyId, inputFileId } = batch;
    const checked = await validateInput(this.#ports.contents.read(inputFileId), {
      endpoint: endpointOf(batch),
      modelFault: this.#ports.modelsOf(keyId),
    }).catch((error: unknown) => {
      if (isMissing(error)) return err([unreadableInput]);
      throw error;
    });
    const from = ['validating'] as const;
    const moved = checked.ok
      ? await this.move(batch, { from, to: 'in_progress', total: checked.value })
      : await this.move(batch, { from, to: 'failed', errors: checked.error });
    // Else it was cancelled meanwhile.
    return moved ?? (await this.#ports.store.get(undefined, batchId));
  }

  async #finish(batch: StoredBatch): Promise<void> {
    const isComplete = batch.completed + batch.failed >= batch.total;
    const ended = isComplete ? 'completed' : 'expired';
    const to = batch.status === 'cancelling' ? 'cancelled' : ended;
    const files = await writeBatchFiles(batch, to === 'expired', this.#ports);
    await this.move(batch, { from: [batch.status], to, files });
  }
}
