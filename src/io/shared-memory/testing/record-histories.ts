// Records what real threads do to a shared structure at the same time.

import { Worker } from 'node:worker_threads';
import type { WordBlock } from '../shared-words.ts';
import type { HistoryTask, Recorded, Structure } from './history-task.ts';
import type { History } from './linearizability.ts';

const workerFile = new URL('./history-worker.ts', import.meta.url);

/**
 * One history for each place of the block, each by all threads at once. The structure decides what
 * calls and answers are.
 */
export async function recordHistories<Call, Answer>(options: {
  readonly structure: Structure;
  readonly block: WordBlock;
  readonly places: readonly number[];
  readonly threads: number;
  readonly operations: number;
  readonly seed: number;
}): Promise<readonly History<Call, Answer>[]> {
  const gate = new SharedArrayBuffer(4 * (1 + options.places.length));
  const recorded = await Promise.all(
    Array.from({ length: options.threads }, (_, thread) => {
      const task: HistoryTask = { ...options, thread, gate };
      const worker = new Worker(workerFile, { workerData: task });
      return new Promise<Recorded<Call, Answer>>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      }).finally(() => worker.terminate());
    }),
  );
  return options.places.map((_, history) => recorded.map((own) => own[history] ?? []));
}

/** How many pairs of operations were under way at the same time. */
export function overlaps(history: History<unknown, unknown>): number {
  const all = history.flat();
  return all.reduce((sum, one) => {
    const during = all.filter(
      ({ invoked, returned }) =>
        invoked > one.invoked && invoked < (one.returned?.at ?? Infinity) && returned !== undefined,
    );
    return sum + during.length;
  }, 0);
}
