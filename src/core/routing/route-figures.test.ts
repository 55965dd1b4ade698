// Goal: the figures of A.11 and A.15, each with its edges.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  absoluteGap,
  endpointScore,
  loadAdjustedLatency,
  nmiToKm,
  normalizeLatency,
  successRate,
  weightedScore,
} from './route-figures.ts';

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-9, `got ${actual}, expected ${expected}`);
}

test('both scores rise with reliability and fall with latency, and are 0 without a measurement', () => {
  near(weightedScore(8, 0.96, 2.5), 0.3);
  near(endpointScore(8, 0.96, 5), 0.6);
  for (const latency of [0, -1]) {
    assert.equal(endpointScore(latency, 0.9, 3), 0);
    assert.equal(weightedScore(latency, 0.9, 3), 0);
  }
  assert.ok(Number.isNaN(endpointScore(Number.NaN, 0.9, 3)));
});

test('a latency is normalised to 0..1', () => {
  const rows = [
    [50, 200, 0.25],
    [200, 200, 1],
    [900, 200, 1],
    [-5, 200, 0],
    [5, 0, 0],
    [5, -1, 0],
  ] as const;
  for (const [latency, max, share] of rows) {
    assert.equal(normalizeLatency(latency, max), share, `${latency} of ${max}`);
  }
});

test('a latency under load is cut to whole milliseconds, not rounded', () => {
  assert.equal(loadAdjustedLatency(37, 0.35), 49);
  assert.equal(loadAdjustedLatency(101, 0.5), 151);
  assert.equal(loadAdjustedLatency(100, 0), 100);
  assert.equal(loadAdjustedLatency(-3, 0.5), -4, 'toward zero');
});

test('the success rate is a share, and 0 of nothing', () => {
  assert.equal(successRate(9, 10), 0.9);
  assert.equal(successRate(0, 10), 0);
  assert.equal(successRate(0, 0), 0);
});

test('a gap has no sign', () => {
  assert.deepEqual([absoluteGap(3, 10), absoluteGap(10, 3), absoluteGap(-2, 2)], [7, 7, 4]);
  assert.equal(absoluteGap(5, 5), 0);
});

test('miles are 1.852 km each, not 1.609', () => {
  near(nmiToKm(250), 463);
  assert.equal(nmiToKm(0), 0);
});
