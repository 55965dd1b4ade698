// Goal: what four real threads take from a shared bucket at once could have happened one after the
// other. Method: that of queue-histories.test.ts, with 400 histories of 4 x 50 operations; the clocks
// of the threads go forward at different paces and sometimes back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordedBucketHistories } from './testing/bucket-histories.ts';

test('four hundred recorded histories of four threads are linearizable', async (t) => {
  const { histories, overlapping } = await recordedBucketHistories(400, 20_261_121);
  t.diagnostic(`${histories} histories, ${overlapping} pairs overlap`);
  assert.equal(histories, 400);
  assert.ok(overlapping > histories, `only ${overlapping} pairs of operations overlap`);
});
