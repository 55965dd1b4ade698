// Goal: a thread counts increments only, gives each away once, and puts a value on a bound into
// the bucket of that bound, as Prometheus wants it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { labelValue, ThreadMetrics } from './thread-metrics.ts';

it('counters are drained once and begin at zero again', () => {
  const metrics = new ThreadMetrics();
  metrics.count('a');
  metrics.count('a', 4);
  metrics.count('b{x="1"}');
  metrics.count('nothing', 0);
  assert.deepEqual(metrics.drain(), [
    { kind: 'counter', key: 'a', value: 5 },
    { kind: 'counter', key: 'b{x="1"}', value: 1 },
  ]);
  assert.deepEqual(metrics.drain(), []);
  metrics.count('a');
  assert.deepEqual(metrics.drain(), [{ kind: 'counter', key: 'a', value: 1 }]);
});

it('a gauge is told when it has changed', () => {
  const metrics = new ThreadMetrics();
  metrics.gauge('g', 0);
  assert.deepEqual(metrics.drain(), []);
  metrics.gauge('g', 2);
  metrics.gauge('g', 3);
  assert.deepEqual(metrics.drain(), [{ kind: 'gauge', key: 'g', value: 3 }]);
  metrics.gauge('g', 3);
  assert.deepEqual(metrics.drain(), []);
  metrics.gauge('g', 0);
  assert.deepEqual(metrics.drain(), [{ kind: 'gauge', key: 'g', value: 0 }]);
});

it('a value on a bound is within it, one above the last is in the overflow', () => {
  const metrics = new ThreadMetrics();
  for (const value of [0, 1, 1.5, 2, 99]) metrics.observe('h', [1, 2], value);
  assert.deepEqual(metrics.drain(), [
    { kind: 'histogram', key: 'h', counts: [2, 2, 1], sum: 103.5 },
  ]);
  assert.deepEqual(metrics.drain(), []);
});

it('what was drained does not change with what is counted later', () => {
  const metrics = new ThreadMetrics();
  metrics.observe('h', [1], 0.5);
  const [first] = metrics.drain();
  metrics.observe('h', [1], 0.5);
  metrics.observe('h', [1], 0.5);
  assert.deepEqual(first, { kind: 'histogram', key: 'h', counts: [1, 0], sum: 0.5 });
  assert.deepEqual(metrics.drain(), [{ kind: 'histogram', key: 'h', counts: [2, 0], sum: 1 }]);
});

it('a label value cannot end its quotes or its line', () => {
  assert.equal(labelValue('a"} 1\n\\b'), 'a\\"} 1\\n\\\\b');
});
