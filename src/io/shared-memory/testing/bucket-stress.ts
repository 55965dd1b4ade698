// Many threads on one shared bucket as fast as they can, each grant noted with the clock before and
// after it. Used by the tests and by bench queue.

import assert from 'node:assert/strict';
import { SharedTokenBucket } from '../shared-token-bucket.ts';
import { createWordBlock, openWords, type WordBlock } from '../shared-words.ts';
import { runThreads } from './threads.ts';

export type BucketStressTask = {
  readonly block: WordBlock;
  readonly thread: number;
  readonly workers: number;
  readonly operations: number;
  readonly seed: number;
  /** Word 0 counts who is ready; word 1 is the clock, which the workers move on. */
  readonly gate: SharedArrayBuffer;
};

/** The clock before and after a grant, in turn. */
export type BucketStressResult = { readonly grants: Int32Array };

export type Grants = {
  readonly granted: number;
  readonly ticks: number;
  /** What was granted beyond capacity + rate x interval in the worst interval; 0 when never. */
  readonly overgrant: number;
};

const workerFile = new URL('./bucket-stress-worker.ts', import.meta.url);

/** `operations` in total, each asking for one token. */
export async function stressBucket(options: {
  readonly workers: number;
  readonly operations: number;
  readonly capacity: number;
  readonly refillRate: number;
  readonly seed: number;
}): Promise<Grants> {
  const { workers, capacity, refillRate } = options;
  const block = createWordBlock(SharedTokenBucket.words);
  const made = SharedTokenBucket.create(openWords(block), 0, {
    capacity,
    refillRate,
    span: 2 ** 32,
  });
  assert.ok(made.ok);
  const gate = new SharedArrayBuffer(8);
  const operations = Math.ceil(options.operations / workers);
  const tasks = Array.from({ length: workers }, (_, thread): BucketStressTask => {
    return { block, thread, workers, operations, seed: options.seed, gate };
  });
  const results = await runThreads<BucketStressTask, BucketStressResult>(workerFile, tasks);
  const times = results.flatMap(({ grants }) => [...grants]);
  const ticks = 1 + Atomics.load(new Int32Array(gate), 1);
  const overgrant = worstOvergrant({ times, ticks, capacity, refillRate });
  return { granted: times.length / 2, ticks, overgrant };
}

/**
 * A grant happened at some moment between its two times. So for every interval those that have both
 * times in it must not be more than a full bucket and what drips in meanwhile.
 */
export function worstOvergrant(given: {
  /** Before and after each grant, in turn; whole numbers below `ticks`. */
  readonly times: readonly number[];
  readonly ticks: number;
  readonly capacity: number;
  readonly refillRate: number;
}): number {
  const endsOfStart = Array.from({ length: given.ticks }, (): number[] => []);
  for (let at = 0; at < given.times.length; at += 2) {
    endsOfStart[given.times[at] ?? 0]?.push(given.times[at + 1] ?? 0);
  }
  // ends[t] counts the grants that began at `from` or later and ended at t.
  const ends = new Float64Array(given.ticks);
  let worst = 0;
  for (let from = given.ticks - 1; from >= 0; from--) {
    for (const end of endsOfStart[from] ?? []) ends[end] = (ends[end] ?? 0) + 1;
    let granted = 0;
    for (let to = from; to < given.ticks; to++) {
      granted += ends[to] ?? 0;
      worst = Math.max(worst, granted - given.capacity - given.refillRate * (to - from));
    }
  }
  return worst;
}
