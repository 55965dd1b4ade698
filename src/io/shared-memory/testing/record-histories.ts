// Records what real threads do to a shared structure at the same time.

import type { WordBlock } from '../shared-words.ts';
import type { HistoryTask, Recorded, Structure } from './history-task.ts';
import type { History } from './linearizability.ts';
import { runThreads } from './threads.ts';

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
  const tasks = Array.from(
    { length: options.threads },
    (_, thread): HistoryTask => ({ ...options, thread, gate }),
  );
  const recorded = await runThreads<HistoryTask, Recorded<Call, Answer>>(workerFile, tasks);
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
