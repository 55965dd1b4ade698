// Goal: what four real threads do to a shared queue at once could have happened one after the other.
// Method: 1000 histories of 4 x 50 random operations, recorded by a shared ticket at begin and end of
// each, judged by the checker of testing/linearizability.ts. The threads hesitate between steps, so
// that they meet inside of operations on a machine of few cores too.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordedQueueHistories } from './testing/queue-histories.ts';

test('a thousand recorded histories of four threads are linearizable', async (t) => {
  const { histories, overlapping, refused } = await recordedQueueHistories(1000, 20_261_121);
  t.diagnostic(`${histories} histories, ${overlapping} pairs overlap, ${refused} refusals`);
  assert.equal(histories, 1000);
  assert.ok(overlapping > histories, `only ${overlapping} pairs of operations overlap`);
});
