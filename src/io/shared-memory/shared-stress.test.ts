// Goal: under eight threads at full speed every id that came into a shared queue leaves it exactly
// once, the hard limit is never seen exceeded, and a shared bucket never grants too much. Method: a
// million operations with the books kept (testing/queue-stress.ts, testing/bucket-stress.ts).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stressBucket, worstOvergrant } from './testing/bucket-stress.ts';
import { stressQueue } from './testing/queue-stress.ts';

const workers = 8;
const operations = 1_000_000;
const seed = 20_261_121;

for (const hardLimit of [1, 40, 1000]) {
  const share = hardLimit === 1000 ? operations : operations / 4;
  test(`${share} operations on a queue of ${hardLimit}`, async (t) => {
    const options = { workers, operations: share, hardLimit, levels: 5, seed };
    const { accepted, refused, lost, duplicated, invented, sizeMax } = await stressQueue(options);
    t.diagnostic(`${accepted} accepted, ${refused} refused, at most ${sizeMax} at once`);
    assert.deepEqual([lost, duplicated, invented], [0, 0, 0]);
    assert.ok(sizeMax <= hardLimit, `${sizeMax} waited where ${hardLimit} may`);
    assert.ok(accepted > 0);
  });
}

test('a million requests for a token', async (t) => {
  const options = { workers, operations, capacity: 100, refillRate: 64, seed };
  const { granted, ticks, overgrant } = await stressBucket(options);
  t.diagnostic(`${granted} granted in ${ticks} ticks`);
  assert.equal(overgrant, 0);
  assert.ok(granted > options.capacity, 'the bucket was refilled');
});

test('the check of grants finds one too many in any interval', () => {
  const bound = { ticks: 10, capacity: 2, refillRate: 0.5 };
  const at = (...times: readonly number[]) => times.flatMap((time) => [time, time]);
  assert.equal(worstOvergrant({ ...bound, times: at(0, 0, 2, 4, 4) }), 1);
  assert.equal(worstOvergrant({ ...bound, times: at(0, 0, 2, 4, 6) }), 0);
  assert.equal(worstOvergrant({ ...bound, times: at(3, 5, 5, 5) }), 1);
  assert.equal(worstOvergrant({ ...bound, times: [3, 6, 5, 5, 5, 5] }), 0, 'may have been at 3');
  assert.equal(worstOvergrant({ ...bound, times: [] }), 0);
});
