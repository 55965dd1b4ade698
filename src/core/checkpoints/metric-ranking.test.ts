// Goal: best first by a metric in either direction, without those that have no value. Method: tables.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkpoint, idsOf } from './checkpoint.test-support.ts';
import { betterThan, rankByMetric } from './metric-ranking.ts';

const all = [
  checkpoint('d', { metrics: { loss: 0.5 } }),
  checkpoint('a', { metrics: { loss: 0.5 } }),
  checkpoint('b', { metrics: { loss: 0.2, accuracy: 0.9 } }),
  checkpoint('nan', { metrics: { loss: Number.NaN } }),
  checkpoint('none', { metrics: { accuracy: 0.5 } }),
  checkpoint('c', { metrics: { loss: 0.9 } }),
];

const lower = { metricKey: 'loss', ascending: true };
const higher = { metricKey: 'loss', ascending: false };

describe('checkpoint', () => {
  test('the best come first, ties by id, and what has no value has no rank', () => {
    assert.deepEqual(idsOf(rankByMetric(all, lower)), ['b', 'a', 'd', 'c']);
    assert.deepEqual(idsOf(rankByMetric(all, higher)), ['c', 'a', 'd', 'b']);
    assert.deepEqual(idsOf(rankByMetric(all.toReversed(), lower)), ['b', 'a', 'd', 'c']);
    assert.deepEqual(rankByMetric(all, { metricKey: 'gone', ascending: true }), []);
    assert.deepEqual(rankByMetric([], lower), []);
  });

  test('a metric is only what was measured, not what every object has', () => {
    assert.deepEqual(rankByMetric(all, { metricKey: 'toString', ascending: true }), []);
    assert.deepEqual(rankByMetric(all, { metricKey: '__proto__', ascending: true }), []);
  });

  test('infinities have a rank, and two equal ones tie', () => {
    const extremes = [
      checkpoint('z', { metrics: { loss: Number.POSITIVE_INFINITY } }),
      checkpoint('y', { metrics: { loss: Number.POSITIVE_INFINITY } }),
      checkpoint('x', { metrics: { loss: Number.NEGATIVE_INFINITY } }),
    ];
    assert.deepEqual(idsOf(rankByMetric(extremes, lower)), ['x', 'y', 'z']);
  });

  test('better than a threshold means strictly better', () => {
    assert.deepEqual(idsOf(betterThan(all, 0.5, lower)), ['b']);
    assert.deepEqual(idsOf(betterThan(all, 0.51, lower)), ['b', 'a', 'd']);
    assert.deepEqual(idsOf(betterThan(all, 0.5, higher)), ['c']);
    assert.deepEqual(idsOf(betterThan(all, 0.49, higher)), ['c', 'a', 'd']);
    assert.deepEqual(betterThan(all, Number.NaN, lower), []);
    assert.deepEqual(betterThan(all, Number.NaN, higher), []);
  });
});
