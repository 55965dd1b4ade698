// Goal: a percentile is a sample of the set, at its rank, and is not told from too few samples.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nearestRank, percentilesOf } from './percentiles.ts';

test('percentiles are taken by nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.deepEqual(percentilesOf(hundred), { count: 100, p50: 50, p95: 95, p99: 99 });
});

test('a percentile that too few samples stand behind is null', () => {
  assert.deepEqual(percentilesOf([]), { count: 0, p50: null, p95: null, p99: null });
  assert.deepEqual(percentilesOf([7]), { count: 1, p50: 7, p95: null, p99: null });
  const p95 = (count: number) => percentilesOf(Array.from({ length: count }, () => 1)).p95;
  assert.deepEqual([p95(19), p95(20)], [null, 1]);
});

test('the share asked for does not exceed the percentile, and no smaller sample has that', () => {
  const samples = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 200 });
  const share = fc.constantFrom(0.01, 0.5, 0.95, 0.99, 1);
  fc.assert(
    fc.property(samples, share, (values, wanted) => {
      const ascending = [...values].sort((a, b) => a - b);
      const found = nearestRank(ascending, wanted) ?? Number.NaN;
      const upTo = (limit: number) => ascending.filter((value) => value <= limit).length;
      assert.ok(upTo(found) >= wanted * ascending.length);
      assert.ok(upTo(found - 1) < wanted * ascending.length);
    }),
    { seed: 20261121 },
  );
});
