// One thread of queue-stress.ts.

import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom } from '../../../base/random.ts';
import { SharedPriorityQueue } from '../shared-priority-queue.ts';
import { openWords } from '../shared-words.ts';
import type { QueueStressResult, QueueStressTask } from './queue-stress.ts';
import { waitForAll } from './threads.ts';

/** One operation in this many is a drain. */
const drainEvery = 512;

function work(task: QueueStressTask, queue: SharedPriorityQueue): QueueStressResult {
  const accepted = new Uint8Array(task.accepted);
  const left = new Uint8Array(task.left);
  const random = seededRandom(task.seed + task.thread);
  let refused = 0;
  for (let at = 0; at < task.operations; at++) {
    const draw = random.nextUint32();
    if (draw % drainEvery === 0) {
      for (const { id } of queue.drain()) Atomics.add(left, id, 1);
    } else if ((draw & 1) === 1) {
      const id = task.thread * task.operations + at;
      const priority = 1 + ((draw >>> 9) % task.levels);
      if (queue.enqueue({ id, priority })) accepted[id] = 1;
      else refused += 1;
    } else {
      const item = queue.dequeue();
      if (item !== undefined) Atomics.add(left, item.id, 1);
    }
  }
  return { refused, sizeMax: 0 };
}

function observe(task: QueueStressTask, gate: Int32Array, queue: SharedPriorityQueue) {
  let sizeMax = 0;
  while (Atomics.load(gate, 1) < task.workers) {
    for (let looks = 0; looks < 1000; looks++) sizeMax = Math.max(sizeMax, queue.size);
    Atomics.wait(gate, 1, task.workers, 1);
  }
  return { refused: 0, sizeMax };
}

function run(task: QueueStressTask): QueueStressResult {
  const gate = new Int32Array(task.gate);
  const queue = new SharedPriorityQueue(openWords(task.block), 0, task.thread);
  waitForAll(gate, 0, task.workers + 1);
  if (task.role === 'observer') return observe(task, gate, queue);
  const result = work(task, queue);
  Atomics.add(gate, 1, 1);
  return result;
}

if (parentPort !== null) parentPort.postMessage(run(workerData as QueueStressTask));
