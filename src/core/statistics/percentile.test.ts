// Goal: percentiles are nearest ranks, exact, and say what they do at the edges (CP A.13, A.15).
// Method: the table of the specification, and a property against counting.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { percentile, percentileOfRanked, ranked, rankOfShare } from './percentile.ts';

test('a percentile is the value at the nearest rank, without interpolation', () => {
  const five = [35, 20, 15, 50, 40];
  const rows: readonly [readonly number[], number, number, string][] = [
    [five, 30, 20, 'self-check 30'],
    [five, 40, 20, 'self-check 40'],
    [five, 41, 35, 'self-check 41'],
    [five, 0, 15, '0 is the smallest'],
    [five, 100, 50, '100 is the largest'],
    [[], 50, 0, 'empty'],
    [[7.25, 7.5], 50, 7.25, 'doubles, not truncated'],
    [[-0.5, -2.5], 50, -2.5, 'negative'],
    [[Number.NaN, 3, Number.NaN, 1], 100, 3, 'NaN is left out'],
    [[Number.NaN], 50, 0, 'only NaN is empty'],
    [[10, 9, 100], 50, 10, 'ordered as numbers, not as text'],
    [[Number.POSITIVE_INFINITY, 1], 100, Number.POSITIVE_INFINITY, 'infinity ranks'],
  ];
  for (const [values, pct, expected, words] of rows) {
    assert.equal(percentile(values, pct), expected, words);
    assert.equal(percentileOfRanked(ranked(new Set(values)), pct), expected, `${words}, a set`);
  }
});

test('ranking leaves its input as it was', () => {
  const values = Float64Array.of(3, 1, 2);
  percentile(values, 50);
  assert.deepEqual([...values], [3, 1, 2]);
});

test('the rank of a share is whole where the product is, in spite of rounding', () => {
  for (const n of [1, 2, 10, 100, 700, 1000, 12_345, 1e6, 1e9]) {
    for (let pct = 1; pct <= 100; pct += 1) {
      assert.equal(rankOfShare(pct / 100, n), Math.ceil((pct * n) / 100), `${pct} % of ${n}`);
    }
  }
  assert.equal(rankOfShare(0, 10), 1);
  assert.equal(rankOfShare(1, 10), 10);
  assert.equal(rankOfShare(0.5, 0), 0);
});

holds(
  'at least the asked share lies at or below a percentile, and less than that below it',
  fc.property(
    fc.array(fc.double({ noNaN: true }), { minLength: 1 }),
    fc.integer({ min: 1, max: 100 }),
    (values, pct) => {
      const found = percentile(values, pct);
      const needed = (pct * values.length) / 100;
      assert.ok(values.filter((value) => value <= found).length >= needed);
      assert.ok(values.filter((value) => value < found).length < needed);
    },
  ),
);

holds(
  'the rank of a share never falls as the share grows',
  fc.property(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.integer({ min: 1, max: 1e9 }),
    (a, b, n) => {
      const [low, high] = [rankOfShare(Math.min(a, b), n), rankOfShare(Math.max(a, b), n)];
      assert.ok(low <= high && low >= 1 && high <= n);
    },
  ),
);
