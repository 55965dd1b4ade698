// Goal: the figures of A.4, A.15 and of alert 004 (E.4), and the formulas for random input.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { errorBudgetRemaining, latencyBucket, throughput, uptimePercent } from './service-level.ts';

function near(actual: number, expected: number, tolerance = 1e-9): void {
  const distance = Math.abs(actual - expected);
  assert.ok(distance <= tolerance, `got ${actual}, expected ${expected}`);
}

test('10 ms is fast and 100 ms is slow', () => {
  const edges = [0, 10, 10.5, 11, 99, 99.9, 100, 5000, Number.NaN].map(latencyBucket);
  const [fast, medium, slow] = ['fast', 'medium', 'slow'];
  assert.deepEqual(edges, [fast, fast, medium, medium, medium, medium, slow, slow, slow]);
});

test('throughput is per second of a duration in milliseconds', () => {
  near(throughput(5000, 60_000), 83.333_333_333, 1e-6);
  assert.equal(throughput(1000, 2000), 500);
  assert.equal(throughput(5000, 0), 0);
  assert.equal(throughput(0, 1000), 0);
});

test('uptime is the per cent that was not down', () => {
  near(uptimePercent(86_400, 3600), 95.833_333_333, 1e-6);
  near(uptimePercent(7200, 18), 99.75);
  const rows = [
    [100, 0, 100],
    [100, 100, 0],
    [100, 101, 0],
    [0, 0, 0],
    [0, 5, 0],
  ] as const;
  for (const [total, down, percent] of rows) {
    assert.equal(uptimePercent(total, down), percent, `${down} of ${total}`);
  }
});

test('what is left of the error budget is never below 0, and 0 before anything elapsed', () => {
  near(errorBudgetRemaining(0.999, 0.9995, 30, 10), 0.000_833_333, 1e-9);
  near(errorBudgetRemaining(0.99, 1, 30, 30), 0.01);
  assert.equal(errorBudgetRemaining(0.999, 0.9, 30, 30), 0);
  assert.equal(errorBudgetRemaining(0.999, 0.9995, 0, 10), 0);
  assert.equal(errorBudgetRemaining(0.999, 0.9995, 30, 0), 0);
});

const count = fc.integer({ min: 1, max: 1_000_000 });
const share = fc.double({ min: 0, max: 1, noNaN: true });

holds(
  'the formulas hold to nine digits',
  fc.property(count, count, share, share, (total, some, target, current) => {
    near(throughput(some, total) * (total / 1000), some, 1e-9 * some);
    const down = some % (total + 1);
    near(uptimePercent(total, down) + (down / total) * 100, 100);
    const elapsed = down / total;
    const left = 1 - target - (1 - current) * elapsed;
    near(errorBudgetRemaining(target, current, total, down), down === 0 ? 0 : Math.max(0, left));
  }),
);
