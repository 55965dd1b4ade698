// Small programs of queue operations, enumerated: what queue-interleavings.test.ts and its long
// sibling have in common.

import assert from 'node:assert/strict';
import { queueWord, sizeOf } from '../queue-layout.ts';
import { SharedPriorityQueue } from '../shared-priority-queue.ts';
import { createWordBlock, openWords } from '../shared-words.ts';
import { type Explored, explore, type Program } from './interleavings.ts';
import { historyWords, isLinearizable } from './linearizability.ts';
import { callQueue, type QueueAnswer, type QueueCall, queueModel } from './queue-model.ts';

export type QueueCase = {
  readonly hardLimit: number;
  /** Priorities of items that wait from the beginning, with the ids 100, 101, ... */
  readonly waiting?: readonly number[];
  /** `e2` enqueues with priority 2, `d` dequeues, `p` peeks, `s` asks the size, `D` drains, `C` clears. */
  readonly threads: readonly string[];
};

const shape = { levels: 2, lowestPriority: 1 };
const calls: Readonly<Record<string, QueueCall>> = {
  d: { kind: 'dequeue' },
  p: { kind: 'peek' },
  s: { kind: 'size' },
  D: { kind: 'drain' },
  C: { kind: 'clear' },
};

/** Throws at the first point where the queue is not what it must be. */
export function exploreQueue(given: QueueCase, interruptionsMax?: number): Explored {
  const waiting = (given.waiting ?? []).map((priority, at) => ({ id: 100 + at, priority }));
  const programs = given.threads.map(
    (words, thread): Program<QueueCall, QueueAnswer> => ({
      open(memory) {
        const queue = new SharedPriorityQueue(memory, 0, thread);
        if (thread === 0) for (const item of waiting) assert.ok(queue.enqueue(item));
        return (call) => callQueue(queue, call);
      },
      calls: callsOf(words, thread),
    }),
  );
  const initial = waiting.toSorted((a, b) => b.priority - a.priority);
  const model = { ...queueModel(given.hardLimit), initial };
  return explore({
    memory: memoryOf(given),
    programs,
    stepsAlone: 200,
    ...(interruptionsMax === undefined ? {} : { interruptionsMax }),
    inspect(memory) {
      assert.ok(sizeOf(memory[queueWord.control] ?? 0) <= given.hardLimit, 'over the hard limit');
    },
    judge(history) {
      assert.ok(isLinearizable(model, history), historyWords(history));
    },
  });
}

function callsOf(words: string, thread: number): readonly QueueCall[] {
  return words.split(' ').map((word, at) => {
    const known = calls[word];
    if (known !== undefined) return known;
    return { kind: 'enqueue', item: { id: 10 * thread + at, priority: Number(word.slice(1)) } };
  });
}

function memoryOf({ hardLimit, threads }: QueueCase): Int32Array {
  const full = { ...shape, hardLimit, threads: threads.length };
  const count = SharedPriorityQueue.wordsFor(full);
  const words = openWords(createWordBlock(count));
  SharedPriorityQueue.create(words, 0, full);
  return Int32Array.from({ length: count }, (_, index) => words.load(index));
}

/** Every pair of single operations, on a queue of two places with one item in it. */
export function* pairsOfSingles(): Generator<QueueCase> {
  const singles = ['e1', 'e2', 'd', 'p', 's', 'D', 'C'];
  for (const [at, one] of singles.entries()) {
    for (const other of singles.slice(at)) {
      yield { hardLimit: 2, waiting: [1], threads: [one, other] };
    }
  }
}

/** Two operations each. */
export const pairs: readonly (readonly [words: string, given: QueueCase])[] = [
  ['items come to one level and leave it', { hardLimit: 2, threads: ['e1 d', 'e1 d'] }],
  [
    'a high item and then a low one come while a dequeue looks',
    { hardLimit: 3, waiting: [1], threads: ['d d', 'e2 e1'] },
  ],
  ['two come to a level while others leave it', { hardLimit: 3, threads: ['d d', 'e1 e1'] }],
  ['two take out what waits', { hardLimit: 2, waiting: [1, 2], threads: ['d d', 'd d'] }],
  ['two leave a level at once', { hardLimit: 3, waiting: [1, 1, 1], threads: ['p d', 'd d'] }],
  ['a place is taken and given back', { hardLimit: 1, threads: ['e1 d', 'e2 d'] }],
  ['an item comes while another thread drains', { hardLimit: 2, threads: ['e1 D', 'e2 d'] }],
  ['both drain', { hardLimit: 2, waiting: [1], threads: ['D e1', 'e2 D'] }],
  ['one drains twice', { hardLimit: 2, waiting: [2], threads: ['D D', 'e1 e1'] }],
  [
    'the first item is looked at while it leaves',
    { hardLimit: 2, waiting: [1], threads: ['p p', 'd e2'] },
  ],
  ['the size is asked at the limit', { hardLimit: 1, waiting: [1], threads: ['s e2', 'C s'] }],
];

/** What it takes to deceive a thread that comes late: a ring once around, both banks twice. */
export const lateComers: readonly (readonly [words: string, given: QueueCase])[] = [
  ['a ring goes around', { hardLimit: 1, threads: ['d e1', 'e1 d e1 d e1 d'] }],
  ['two drains go by', { hardLimit: 2, waiting: [1, 1], threads: ['e2 d d', 'D e1 D e1'] }],
  ['a bank comes back', { hardLimit: 2, waiting: [1], threads: ['D e1 D d', 'e1 d'] }],
];
