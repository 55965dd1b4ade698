// Goal and method of queue-histories.test.ts and bucket-histories.test.ts, with many more histories
// from seeds of their own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordedBucketHistories } from './testing/bucket-histories.ts';
import { recordedQueueHistories } from './testing/queue-histories.ts';

const rounds = 20;

test('twenty thousand histories of queues and as many of buckets are linearizable', async () => {
  for (let round = 0; round < rounds; round++) {
    const queues = await recordedQueueHistories(1000, 1_000_000 * (round + 1));
    const buckets = await recordedBucketHistories(1000, 1_000_000 * (round + 1));
    assert.ok(queues.overlapping > queues.histories);
    assert.ok(buckets.overlapping > buckets.histories);
  }
});
