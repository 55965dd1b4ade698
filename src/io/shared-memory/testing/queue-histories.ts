// Histories of four threads on queues of one to six places, recorded and judged.

import assert from 'node:assert/strict';
import type { QueueShape } from '../queue-layout.ts';
import { SharedPriorityQueue } from '../shared-priority-queue.ts';
import { createWordBlock, openWords } from '../shared-words.ts';
import { historyWords, isLinearizable } from './linearizability.ts';
import { type QueueAnswer, type QueueCall, queueModel } from './queue-model.ts';
import { overlaps, recordHistories } from './record-histories.ts';

const threads = 4;
const operations = 50;

function shapeOf(history: number): QueueShape {
  return { hardLimit: 1 + (history % 6), levels: 3, lowestPriority: 1, threads };
}

export type Verdict = {
  readonly histories: number;
  /** Pairs of operations that were under way at the same time. */
  readonly overlapping: number;
  readonly refused: number;
};

/** Throws with the first history that could not have happened in any order. */
export async function recordedQueueHistories(count: number, seed: number): Promise<Verdict> {
  const { block, places } = manyQueues(count);
  const options = { structure: 'queue', block, places, threads, operations, seed } as const;
  const histories = await recordHistories<QueueCall, QueueAnswer>(options);
  let overlapping = 0;
  let refused = 0;
  for (const [at, history] of histories.entries()) {
    const model = queueModel(shapeOf(at).hardLimit);
    if (!isLinearizable(model, history)) {
      assert.fail(`history ${at} of seed ${seed}\n${historyWords(history)}`);
    }
    overlapping += overlaps(history);
    refused += history.flat().filter(({ returned }) => returned?.answer === false).length;
  }
  return { histories: histories.length, overlapping, refused };
}

function manyQueues(count: number) {
  const shapes = Array.from({ length: count }, (_, history) => shapeOf(history));
  const sizes = shapes.map((shape) => SharedPriorityQueue.wordsFor(shape));
  const places = sizes.map((_, at) => sizes.slice(0, at).reduce((sum, size) => sum + size, 0));
  const block = createWordBlock(sizes.reduce((sum, size) => sum + size, 0));
  const words = openWords(block);
  for (const [at, shape] of shapes.entries()) {
    SharedPriorityQueue.create(words, places[at] ?? 0, shape);
  }
  return { block, places };
}
