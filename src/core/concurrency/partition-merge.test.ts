// Goal: what partitions found is brought together by sum and by key. Method: the rows of A.2, then
// random partitions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { fanOutMerge, mergeCounts, parallelSum } from './partition-merge.ts';

test('counts of one key are summed, and keys of either side are kept', () => {
  const a = new Map([
    ['x', 3],
    ['y', 1],
  ]);
  const b = new Map([
    ['z', 7],
    ['x', 5],
  ]);
  const merged = mergeCounts(a, b);
  assert.deepEqual(
    [...merged],
    [
      ['x', 8],
      ['y', 1],
      ['z', 7],
    ],
  );
  assert.deepEqual(
    [...a],
    [
      ['x', 3],
      ['y', 1],
    ],
  );
  assert.deepEqual([...mergeCounts(new Map(), b)], [...b]);
});

test('a parallel sum is the sum of all partitions, and nothing sums to 0', () => {
  assert.equal(parallelSum([[1, 2], [], [3, -4]]), 2);
  assert.equal(parallelSum([[], []]), 0);
  assert.equal(parallelSum([]), 0);
  assert.equal(parallelSum([[1e100, 1], [-1e100]]), 1, 'parted in any way');
});

test('a fan-out is merged by key, not by value; equal keys keep partition and place', () => {
  const merged = fanOutMerge([
    [
      ['b', 1],
      ['a', 9],
    ],
    [
      ['a', 2],
      ['B', 5],
      ['a', 1],
    ],
  ]);
  assert.deepEqual(merged, [
    ['B', 5],
    ['a', 9],
    ['a', 2],
    ['a', 1],
    ['b', 1],
  ]);
  assert.deepEqual(fanOutMerge([]), []);
  assert.deepEqual(fanOutMerge([[], []]), []);
});

const entry = fc.tuple(fc.constantFrom('a', 'b', 'B', 'é'), fc.nat(99));

holds(
  'a merged fan-out ascends by key, loses nothing and leaves its input alone',
  fc.property(fc.array(fc.array(entry, { maxLength: 6 }), { maxLength: 5 }), (partitions) => {
    const before = JSON.stringify(partitions);
    const merged = fanOutMerge(partitions);
    assert.equal(JSON.stringify(partitions), before);
    for (const key of ['B', 'a', 'b', 'é']) {
      assert.deepEqual(
        merged.filter((one) => one[0] === key),
        partitions.flat().filter((one) => one[0] === key),
      );
    }
    const keys = merged.map(([key]) => key);
    assert.deepEqual(keys, [...keys].sort());
  }),
);
