// The files that a batch ends with: one with the results, one with the errors, each in the order of the
// input and each only if it has any line.

import type { Instant } from '../../base/time.ts';
import type { ContentDraft, ContentFolder } from '../../io/files/content-folder.ts';
import type { BatchStore, StoredBatch } from '../../io/postgres/inference-batch-store.ts';
import type { StoredFile } from '../../io/postgres/inference-file-store.ts';
import {
  type BatchEndpoint,
  parseBatchLine,
  unansweredLine,
} from '../../protocol/openai/batch-line.ts';
import { inputLines } from './batch-input.ts';
import { newFileId } from './file-desk.ts';

export type BatchFilesPorts = {
  readonly store: Pick<BatchStore, 'results' | 'answered'>;
  readonly contents: ContentFolder;
  readonly now: () => Instant;
  readonly newLineId: () => string;
};

export type BatchFiles = {
  readonly output: StoredFile | undefined;
  readonly error: StoredFile | undefined;
};

const expiredError = {
  code: 'batch_expired',
  message: 'This request could not be executed before the completion window expired.',
};

/** A file that is begun with its first line. */
class ResultFile {
  readonly #contents: ContentFolder;
  readonly #fileId = newFileId();
  #draft: ContentDraft | undefined;

  constructor(contents: ContentFolder) {
    this.#contents = contents;
  }

  async add(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    this.#draft ??= await this.#contents.draft(this.#fileId);
    await this.#draft.write(Buffer.from(`${lines.join('\n')}\n`));
  }

  async keep(batch: StoredBatch, filename: string, at: Instant): Promise<StoredFile | undefined> {
    if (this.#draft === undefined) return undefined;
    const { bytes } = this.#draft;
    await this.#draft.keep();
    return {
      fileId: this.#fileId,
      groupName: batch.groupName,
      keyId: batch.keyId,
      purpose: 'batch_output',
      filename: `${batch.batchId}_${filename}.jsonl`,
      bytes,
      createdAt: at,
    };
  }

  async drop(): Promise<void> {
    await this.#draft?.drop();
  }
}

/**
 * Writes what the lines came to. `isExpired`: those that were not answered end in the error file. What
 * a failure leaves behind is removed at the next start.
 */
export async function writeBatchFiles(
  batch: StoredBatch,
  isExpired: boolean,
  ports: BatchFilesPorts,
): Promise<BatchFiles> {
  const output = new ResultFile(ports.contents);
  const error = new ResultFile(ports.contents);
  try {
    for await (const results of ports.store.results(batch.batchId)) {
      await output.add(results.filter(({ isError }) => !isError).map(({ text }) => text));
      await error.add(results.filter(({ isError }) => isError).map(({ text }) => text));
    }
    if (isExpired) await addExpired(batch, error, ports);
    const at = ports.now();
    return {
      output: await output.keep(batch, 'output', at),
      error: await error.keep(batch, 'error', at),
    };
  } catch (cause) {
    await output.drop();
    await error.drop();
    throw cause;
  }
}

async function addExpired(
  batch: StoredBatch,
  file: ResultFile,
  { store, contents, newLineId }: BatchFilesPorts,
): Promise<void> {
  const { cursor, batchId, inputFileId } = batch;
  const answered = new Set(await store.answered(batchId, cursor.line));
  for await (const { line, content } of inputLines(
    contents.read(inputFileId, cursor.byte),
    cursor,
  )) {
    if (answered.has(line) || content.kind !== 'text') continue;
    // It was validated, so its endpoint is that of the batch.
    const parsed = parseBatchLine(content.text, batch.endpoint as BatchEndpoint);
    if (parsed.ok)
      await file.add([unansweredLine(newLineId(), parsed.value.customId, expiredError)]);
  }
}
