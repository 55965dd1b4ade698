// Goal: a percentile is a sample of the set, at its rank, and is not told from too few samples.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentilesOf } from './percentiles.ts';

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
