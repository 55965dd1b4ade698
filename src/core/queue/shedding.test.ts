// Goal: shouldShed of A.9 at and beside each bound. Method: a table.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queueEmergencyRatio, queueHardLimit, queueWarnRatio, shouldShed } from './shedding.ts';

test('an item is shed strictly beyond the limit, in an emergency from 8/10 of it on', () => {
  const rows: readonly (readonly [number, number, boolean, boolean])[] = [
    [80, 100, true, true],
    [79, 100, true, false],
    [80, 100, false, false],
    [100, 100, false, false],
    [101, 100, false, true],
    [100, 100, true, true],
    [40, 40, false, false],
    [41, 40, false, true],
    // floor(7 x 8 / 10) = 5
    [5, 7, true, true],
    [4, 7, true, false],
    // floor(1 x 8 / 10) = 0: in an emergency a queue of one takes nothing.
    [0, 1, true, true],
    [0, 0, false, true],
    [0, 0, true, true],
    [Number.NaN, 100, false, false],
    [Number.NaN, 100, true, false],
    [5, Number.NaN, true, false],
    [2 ** 50, 2 ** 50, false, false],
  ];
  for (const [depth, limit, emergency, shed] of rows) {
    const words = `${depth} of ${limit}${emergency ? ', emergency' : ''}`;
    assert.equal(shouldShed(depth, limit, emergency), shed, words);
  }
});

test('the limit of jobs and the two ratios are the documented ones', () => {
  assert.deepEqual([queueHardLimit, queueEmergencyRatio, queueWarnRatio], [1000, 0.8, 0.6]);
});
