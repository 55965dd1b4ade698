// One thread of bucket-stress.ts.

import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom } from '../../../base/random.ts';
import { SharedTokenBucket } from '../shared-token-bucket.ts';
import { openWords } from '../shared-words.ts';
import type { BucketStressResult, BucketStressTask } from './bucket-stress.ts';
import { waitForAll } from './threads.ts';

/** One operation in this many moves the clock on by one. */
const tickEvery = 512;
const clock = 1;

function run(task: BucketStressTask): BucketStressResult {
  const gate = new Int32Array(task.gate);
  const bucket = new SharedTokenBucket(openWords(task.block), 0);
  const random = seededRandom(task.seed + task.thread);
  const grants: number[] = [];
  waitForAll(gate, 0, task.workers);
  for (let left = task.operations; left > 0; left--) {
    if (random.nextUint32() % tickEvery === 0) Atomics.add(gate, clock, 1);
    const before = Atomics.load(gate, clock);
    if (bucket.tryAcquire(before)) grants.push(before, Atomics.load(gate, clock));
  }
  return { grants: Int32Array.from(grants) };
}

if (parentPort !== null) parentPort.postMessage(run(workerData as BucketStressTask));
