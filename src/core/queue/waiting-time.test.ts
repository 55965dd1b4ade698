// Goal: estimateWait and weightedWait of A.9, finite whatever they are given. Method: a table.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unbounded } from '../../base/numbers.ts';
import { estimateWait, weightedWait } from './waiting-time.ts';

test('the wait is depth over rate, and unbounded without a rate', () => {
  const rows: readonly (readonly [number, number, number])[] = [
    [30, 4, 7.5],
    [0, 4, 0],
    [30, 0, unbounded],
    [30, -1, unbounded],
    [0, 0, unbounded],
    // Infinity would not survive JSON.
    [1e300, 1e-300, unbounded],
  ];
  for (const [depth, rate, wait] of rows) {
    assert.equal(estimateWait(depth, rate), wait, `${depth} at ${rate}`);
  }
  assert.ok(Number.isNaN(estimateWait(Number.NaN, 4)));
});

test('the weighted wait is (depth / rate) x weight, and unbounded without a rate or a weight', () => {
  const rows: readonly (readonly [number, number, number, number])[] = [
    [30, 4, 0.5, 3.75],
    [30, 4, 1, 7.5],
    [30, 0, 1, unbounded],
    [30, -2, 1, unbounded],
    [30, 4, 0, unbounded],
    [30, 4, -0.5, unbounded],
    [1e300, 1, 1e300, unbounded],
  ];
  for (const [depth, rate, weight, wait] of rows) {
    assert.equal(weightedWait(depth, rate, weight), wait, `${depth} at ${rate} x ${weight}`);
  }
});
