// What bench queue compares: the shared queue and bucket with their guarded twins, each as something
// that can be made once, posted to threads, and opened by each of them as a loop over operations.
import assert from 'node:assert/strict';
import { SharedPriorityQueue } from '../../src/io/shared-memory/shared-priority-queue.ts';
import { SharedTokenBucket } from '../../src/io/shared-memory/shared-token-bucket.ts';
import {
  createWordBlock,
  openWords,
  type WordBlock,
} from '../../src/io/shared-memory/shared-words.ts';
import { GuardedBucket } from './guarded-bucket.ts';
import { GuardedQueue } from './guarded-queue.ts';

export const threadsMax = 8;
export const queueShape = {
  hardLimit: 1000,
  levels: 5,
  lowestPriority: 1,
  threads: threadsMax,
} as const;
/** Nearly every request is granted: each then changes the bucket, which is the harder case. */
export const bucketOptions = { capacity: 1000, refillRate: 256, span: 2 ** 36 } as const;
/** Requests of one thread within one unit of time. */
export const requestsPerTick = 16;

export const contenderNames = ['queue', 'guarded queue', 'limiter', 'guarded limiter'] as const;
export type ContenderName = (typeof contenderNames)[number];

export type SharedPart = WordBlock | SharedArrayBuffer;

const regionWords = {
  queue: SharedPriorityQueue.wordsFor(queueShape),
  limiter: SharedTokenBucket.words,
} as const;

/**
 * A fresh one, to be posted to the threads. A block holds one for each thread to warm up on and then
 * the shared one, because a thread calls into one block faster than into several.
 */
export function makePart(name: ContenderName): SharedPart {
  if (name === 'guarded queue') return GuardedQueue.buffer(queueShape);
  if (name === 'guarded limiter') return GuardedBucket.buffer(bucketOptions.capacity);
  const size = regionWords[name];
  const block = createWordBlock((threadsMax + 1) * size);
  const words = openWords(block);
  for (let region = 0; region <= threadsMax; region++) {
    if (name === 'queue') SharedPriorityQueue.create(words, region * size, queueShape);
    else assert.ok(SharedTokenBucket.create(words, region * size, bucketOptions).ok);
  }
  return block;
}

/** Performs that many operations; what it returns keeps the compiler from leaving them out. */
export type Loop = (operations: number) => number;

export type Loops = { readonly warmUp: Loop; readonly measured: Loop };

export function openLoops(name: ContenderName, part: SharedPart, thread: number): Loops {
  if (part instanceof SharedArrayBuffer) return guardedLoops(name, part, thread);
  const words = openWords(part);
  if (name === 'queue') {
    const open = (region: number): Loop => {
      const at = region * regionWords.queue;
      return queueLoop(new SharedPriorityQueue(words, at, thread), thread);
    };
    return { warmUp: open(thread), measured: open(threadsMax) };
  }
  const open = (region: number): Loop =>
    bucketLoop(new SharedTokenBucket(words, region * regionWords.limiter));
  return { warmUp: open(thread), measured: open(threadsMax) };
}

function guardedLoops(name: ContenderName, part: SharedArrayBuffer, thread: number): Loops {
  if (name === 'guarded queue') {
    const open = (buffer: SharedArrayBuffer): Loop =>
      queueLoop(new GuardedQueue(buffer, queueShape), thread);
    return { warmUp: open(GuardedQueue.buffer(queueShape)), measured: open(part) };
  }
  const { capacity, refillRate } = bucketOptions;
  const open = (buffer: SharedArrayBuffer): Loop =>
    bucketLoop(new GuardedBucket(buffer, capacity, refillRate));
  return { warmUp: open(GuardedBucket.buffer(capacity)), measured: open(part) };
}

type Queue = {
  enqueue(item: { readonly id: number; readonly priority: number }): boolean;
  dequeue(): { readonly id: number } | undefined;
};

/** Enqueues and dequeues at random, half of each, on five levels. */
function queueLoop(queue: Queue, thread: number): Loop {
  let draw = 0x9e37_79b9 + thread;
  return (operations) => {
    let sum = 0;
    for (let id = 0; id < operations; id++) {
      draw ^= draw << 13;
      draw ^= draw >>> 17;
      draw ^= draw << 5;
      if ((draw & 256) === 0) sum += queue.dequeue()?.id ?? 0;
      else sum += queue.enqueue({ id, priority: 1 + ((draw >>> 9) % queueShape.levels) }) ? 1 : 0;
    }
    return sum;
  };
}

function bucketLoop(bucket: { tryAcquire(now: number): boolean }): Loop {
  let requests = 0;
  return (operations) => {
    let granted = 0;
    for (let left = operations; left > 0; left--) {
      requests += 1;
      if (bucket.tryAcquire(Math.floor(requests / requestsPerTick))) granted += 1;
    }
    return granted;
  };
}
