// Goal: queueHealth, queuePressure, queueLoadRatio and drainPercent of A.9 with their edges and C6.
// Method: tables, and the matrix's exact property of the pressure over random depths.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { drainPercent, queueHealth, queueLoadRatio, queuePressure } from './queue-load.ts';

test('the status changes at 0.6, 0.8 and 1.0, each included', () => {
  const rows: readonly (readonly [number, number, string])[] = [
    [0, 100, 'healthy'],
    [59, 100, 'healthy'],
    [60, 100, 'elevated'],
    [79, 100, 'elevated'],
    [80, 100, 'warning'],
    [99, 100, 'warning'],
    [100, 100, 'critical'],
    [250, 100, 'critical'],
  ];
  for (const [depth, hardLimit, status] of rows) {
    const utilization = depth / hardLimit;
    assert.deepEqual(queueHealth(depth, hardLimit), { depth, hardLimit, utilization, status });
  }
});

test('a queue with the limit 0 is fully used and critical', () => {
  const expected = { depth: 0, hardLimit: 0, utilization: 1, status: 'critical' };
  assert.deepEqual(queueHealth(0, 0), expected);
  assert.equal(queuePressure(0, 0), 1);
  assert.equal(queueLoadRatio(3, 0), 1);
});

test('the pressure stops at 1 and the load ratio does not', () => {
  assert.deepEqual([queuePressure(12, 10), queueLoadRatio(12, 10)], [1, 1.2]);
  assert.deepEqual([queuePressure(5, 10), queueLoadRatio(5, 10)], [0.5, 0.5]);
});

holds(
  'the pressure is min(1, depth / limit)',
  fc.property(fc.nat(5000), fc.integer({ min: 1, max: 2000 }), (depth, limit) => {
    assert.equal(queuePressure(depth, limit), Math.min(1, depth / limit));
    assert.equal(queueLoadRatio(depth, limit), depth / limit);
  }),
);

test('the share drained is in per cent, and 0 of nothing', () => {
  assert.equal(drainPercent(25, 100), 25);
  assert.equal(drainPercent(3, 8), 37.5);
  assert.equal(drainPercent(0, 0), 0);
  assert.ok(Number.isNaN(drainPercent(Number.NaN, 10)));
});
