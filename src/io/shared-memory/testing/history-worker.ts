// One of the threads whose operations are recorded: for each history it waits until all are there,
// makes its calls at random, and notes for each the tickets of its begin and its end.

import { parentPort, workerData } from 'node:worker_threads';
import { type Random, seededRandom } from '../../../base/random.ts';
import { SharedPriorityQueue } from '../shared-priority-queue.ts';
import { SharedTokenBucket } from '../shared-token-bucket.ts';
import { openWords } from '../shared-words.ts';
import type { Words } from '../words.ts';
import { type BucketCall, callBucket } from './bucket-model.ts';
import { hesitantWords } from './hesitant-words.ts';
import type { HistoryTask, Recorded } from './history-task.ts';
import type { Operation } from './linearizability.ts';
import { callQueue, type QueueCall } from './queue-model.ts';
import { waitForAll } from './threads.ts';

type Performer = () => { readonly call: unknown; readonly perform: () => unknown };

function queueCall(random: Random, id: number): QueueCall {
  const draw = random.nextBelow(100);
  if (draw < 45) return { kind: 'enqueue', item: { id, priority: 1 + random.nextBelow(3) } };
  if (draw < 80) return { kind: 'dequeue' };
  if (draw < 86) return { kind: 'peek' };
  if (draw < 92) return { kind: 'size' };
  return { kind: draw < 96 ? 'drain' : 'clear' };
}

function queuePerformer(words: Words, at: number, thread: number, random: Random): Performer {
  const queue = new SharedPriorityQueue(words, at, thread);
  let next = thread * 1000;
  return () => {
    const call = queueCall(random, next++);
    return { call, perform: () => callQueue(queue, call) };
  };
}

function bucketPerformer(words: Words, at: number, random: Random): Performer {
  const bucket = new SharedTokenBucket(words, at);
  let now = 0;
  return () => {
    // Mostly forward, sometimes back.
    now = Math.max(0, now + random.nextBelow(5) - 1);
    const call = bucketCall(random, now);
    return { call, perform: () => callBucket(bucket, call) };
  };
}

function bucketCall(random: Random, now: number): BucketCall {
  const draw = random.nextBelow(10);
  if (draw < 7) return { kind: 'acquire', count: random.nextBelow(4), now };
  return draw < 8 ? { kind: 'refill', now } : { kind: 'available' };
}

function record(task: HistoryTask): Recorded<unknown, unknown> {
  const gate = new Int32Array(task.gate);
  const plain = openWords(task.block);
  return task.places.map((at, history) => {
    const random = seededRandom(task.seed + history * task.threads + task.thread);
    const words = hesitantWords(plain, random);
    const next =
      task.structure === 'queue'
        ? queuePerformer(words, at, task.thread, random)
        : bucketPerformer(words, at, random);
    waitForAll(gate, 1 + history, task.threads);
    const operations: Operation<unknown, unknown>[] = [];
    for (let left = task.operations; left > 0; left--) {
      const { call, perform } = next();
      const invoked = Atomics.add(gate, 0, 1);
      const answer = perform();
      operations.push({ call, invoked, returned: { at: Atomics.add(gate, 0, 1), answer } });
    }
    return operations;
  });
}

if (parentPort !== null) parentPort.postMessage(record(workerData as HistoryTask));
