// Goal and method of queue-histories.test.ts, bucket-histories.test.ts and shared-stress.test.ts,
// with many more histories and operations from seeds of their own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordedBucketHistories } from './testing/bucket-histories.ts';
import { stressBucket } from './testing/bucket-stress.ts';
import { recordedQueueHistories } from './testing/queue-histories.ts';
import { stressQueue } from './testing/queue-stress.ts';

const rounds = 20;

test('twenty thousand histories of queues and as many of buckets are linearizable', async () => {
  for (let round = 1; round <= rounds; round++) {
    const queues = await recordedQueueHistories(1000, 1_000_000 * round);
    const buckets = await recordedBucketHistories(1000, 1_000_000 * round);
    assert.ok(queues.overlapping > queues.histories);
    assert.ok(buckets.overlapping > buckets.histories);
  }
});

test('twenty million operations on queues lose and double nothing', async () => {
  for (let seed = 1; seed <= rounds; seed++) {
    const hardLimit = [1, 2, 17, 1000][seed % 4] ?? 1;
    const options = { workers: 8, operations: 1_000_000, hardLimit, levels: 64, seed };
    const { lost, duplicated, invented, sizeMax } = await stressQueue(options);
    assert.deepEqual([lost, duplicated, invented], [0, 0, 0], `seed ${seed}`);
    assert.ok(sizeMax <= hardLimit, `seed ${seed}`);
  }
});

test('twenty million requests for a token never get too much', async () => {
  for (let seed = 1; seed <= rounds; seed++) {
    const options = { workers: 8, operations: 1_000_000, capacity: 10, refillRate: seed, seed };
    assert.equal((await stressBucket(options)).overgrant, 0, `seed ${seed}`);
  }
});
