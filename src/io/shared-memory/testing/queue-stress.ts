// Many threads on one shared queue as fast as they can, with the books kept: what became of each id,
// and the greatest size that an observer saw. Used by the tests and by bench queue.

import type { QueueShape } from '../queue-layout.ts';
import { SharedPriorityQueue } from '../shared-priority-queue.ts';
import { createWordBlock, openWords, type WordBlock } from '../shared-words.ts';
import { runThreads } from './threads.ts';

export type QueueStressTask = {
  readonly role: 'worker' | 'observer';
  readonly block: WordBlock;
  readonly levels: number;
  readonly thread: number;
  readonly workers: number;
  /** Of this worker; as many ids are its own, from thread x operations on. */
  readonly operations: number;
  readonly seed: number;
  /** Word 0 counts who is ready, word 1 the workers that are done. */
  readonly gate: SharedArrayBuffer;
  /** A byte for each id: was it accepted, and how often has it come out. */
  readonly accepted: SharedArrayBuffer;
  readonly left: SharedArrayBuffer;
};

export type QueueStressResult = { readonly refused: number; readonly sizeMax: number };

export type QueueBooks = {
  readonly accepted: number;
  readonly refused: number;
  /** Accepted and never seen again. */
  readonly lost: number;
  /** Seen more than once. */
  readonly duplicated: number;
  /** Seen without having been accepted. */
  readonly invented: number;
  /** The greatest size that the observer saw. */
  readonly sizeMax: number;
};

const workerFile = new URL('./queue-stress-worker.ts', import.meta.url);

/** `operations` in total: enqueues, dequeues and now and then a drain. */
export async function stressQueue(options: {
  readonly workers: number;
  readonly operations: number;
  readonly hardLimit: number;
  readonly levels: number;
  readonly seed: number;
}): Promise<QueueBooks> {
  const { workers, hardLimit, levels } = options;
  const each = Math.ceil(options.operations / workers);
  const shape: QueueShape = { hardLimit, levels, lowestPriority: 1, threads: workers + 2 };
  const block = createWordBlock(SharedPriorityQueue.wordsFor(shape));
  const words = openWords(block);
  SharedPriorityQueue.create(words, 0, shape);
  const accepted = new SharedArrayBuffer(each * workers);
  const left = new SharedArrayBuffer(each * workers);
  const gate = new SharedArrayBuffer(8);
  const common = { block, levels, workers, operations: each, seed: options.seed, gate };
  const tasks = Array.from({ length: workers + 1 }, (_, thread): QueueStressTask => {
    const role = thread < workers ? 'worker' : 'observer';
    return { ...common, role, thread, accepted, left };
  });
  const results = await runThreads<QueueStressTask, QueueStressResult>(workerFile, tasks);
  const rest = new SharedPriorityQueue(words, 0, workers + 1);
  const leftBytes = new Uint8Array(left);
  for (const { id } of rest.drain()) leftBytes[id] = (leftBytes[id] ?? 0) + 1;
  return {
    ...balance(new Uint8Array(accepted), leftBytes),
    refused: results.reduce((sum, { refused }) => sum + refused, 0),
    sizeMax: Math.max(...results.map(({ sizeMax }) => sizeMax)),
  };
}

function balance(accepted: Uint8Array, left: Uint8Array) {
  const books = { accepted: 0, lost: 0, duplicated: 0, invented: 0 };
  for (const [id, came] of accepted.entries()) {
    const went = left[id] ?? 0;
    books.accepted += came;
    if (went < came) books.lost += 1;
    if (went > 1) books.duplicated += 1;
    if (went > 0 && came === 0) books.invented += 1;
  }
  return books;
}
