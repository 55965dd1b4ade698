// Goal: the figures of CP A.4, A.15 and E.4.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorRate, healthScore } from './health-score.ts';

test('the score weighs availability 0.6 and performance 0.4', () => {
  const rows: readonly [number, number, number][] = [
    [0.9, 0.7, 0.82],
    [0.99, 0.35, 0.734],
    [0.98, 0.3, 0.708],
    [0.5, 0.9, 0.66],
    [1, 1, 1],
  ];
  for (const [availability, performance, score] of rows) {
    assert.ok(Math.abs(healthScore(availability, performance) - score) < 1e-9);
  }
});

test('the error rate is a share, also for dirty input', () => {
  assert.equal(errorRate(10_000, 50), 0.005);
  assert.equal(errorRate(0, 5), 0);
  assert.equal(errorRate(5, 0), 0);
  assert.equal(errorRate(5, 9), 1);
  assert.equal(errorRate(0, 0), 0);
  assert.equal(errorRate(5, -1), 0);
  assert.ok(Number.isNaN(errorRate(5, Number.NaN)), 'what is not known is not healthy');
});
