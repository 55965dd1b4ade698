// Goal: the threshold value itself is always on the upper side. Method: rows of A.2, then random lists.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { barrierReached, boundedChannelSize, partitionByThreshold } from './threshold.ts';

test('a barrier is reached at its threshold', () => {
  const rows: readonly (readonly [number, number, boolean])[] = [
    [4, 5, false],
    [5, 5, true],
    [6, 5, true],
    [0, 0, true],
    [Number.NaN, 0, false],
  ];
  for (const [count, threshold, reached] of rows) {
    assert.equal(barrierReached(count, threshold), reached, `${count} of ${threshold}`);
  }
});

test('values are parted below and at or above the threshold, in input order', () => {
  assert.deepEqual(partitionByThreshold([7, 1, 5, 4, 9, 1], 5), [
    [1, 4, 1],
    [7, 5, 9],
  ]);
  assert.deepEqual(partitionByThreshold([], 5), [[], []]);
  assert.deepEqual(partitionByThreshold([Number.NaN, 1], 5), [[1], [Number.NaN]]);
});

test('a bounded channel has the larger side times the factor', () => {
  const rows = [
    [2, 3, 4, 12],
    [3, 2, 4, 12],
    [0, 0, 4, 0],
    [2, 3, 0, 0],
  ] as const;
  for (const [producers, consumers, factor, size] of rows) {
    assert.equal(boundedChannelSize(producers, consumers, factor), size);
  }
});

holds(
  'both sides together are a permutation of the input, and each keeps its order',
  fc.property(
    fc.array(fc.integer({ min: -9, max: 9 })),
    fc.integer({ min: -9, max: 9 }),
    (values, t) => {
      const [below, atOrAbove] = partitionByThreshold(values, t);
      assert.deepEqual(
        below,
        values.filter((value) => value < t),
      );
      assert.deepEqual(
        atOrAbove,
        values.filter((value) => value >= t),
      );
      assert.deepEqual([...below, ...atOrAbove].sort(), [...values].sort());
    },
  ),
);
