// Goal: samples are kept up to a cap, only finite ones, and summed up by name. Method: rows of A.4 and
// E.4; then random recording against a plain list.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { formatMetric, type MetricSample, meanByName, metricNames } from './metric.ts';
import { MetricsCollector } from './metrics-collector.ts';

function sample(name: string, value: number, timestamp = 0): MetricSample {
  return { name, value, timestamp };
}

function collected(capacity: number, samples: readonly MetricSample[]): MetricsCollector {
  const collector = new MetricsCollector(capacity);
  for (const one of samples) collector.record(one);
  return collector;
}

test('the newest samples are kept and found by name, oldest first', () => {
  const collector = collected(3, [sample('a', 1), sample('b', 2), sample('a', 3), sample('a', 4)]);
  assert.equal(collector.count, 3);
  assert.deepEqual(collector.getByName('a'), [sample('a', 3), sample('a', 4)]);
  assert.deepEqual(collector.getByName('b'), [sample('b', 2)]);
  assert.deepEqual(collector.getByName('c'), []);
});

test('a sample that is not finite is dropped and counted', () => {
  const infinite = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const collector = collected(9, [...infinite.map((value) => sample('a', value)), sample('a', 1)]);
  collector.record(sample('a', 1, Number.NaN));
  assert.deepEqual([collector.count, collector.dropped], [1, 4]);
});

test('clearing forgets the samples, not what was dropped', () => {
  const collector = collected(9, [sample('a', Number.NaN), sample('a', 1)]);
  collector.clear();
  assert.deepEqual([collector.count, collector.dropped, collector.getByName('a')], [0, 1, []]);
  collector.record(sample('a', 2));
  assert.equal(collector.count, 1);
});

test('a cap of 0 keeps nothing and still counts what was dropped', () => {
  const collector = collected(0, [sample('a', 1), sample('a', Number.NaN)]);
  collector.clear();
  assert.deepEqual([collector.count, collector.dropped, collector.getByName('a')], [0, 1, []]);
});

test('whoever gave or got a sample cannot change the collector', () => {
  const given = { name: 'a', value: 1, timestamp: 0 };
  const collector = collected(2, [given]);
  given.value = 99;
  assert.deepEqual(collector.getByName('a'), [sample('a', 1)]);
  assert.ok(collector.getByName('a').every(Object.isFrozen));
});

test('samples of one metric are averaged, not summed, and names ascend', () => {
  const samples = [sample('b', 50), sample('a', 1), sample('b', 70), sample('B', -4)];
  assert.deepEqual(
    [...meanByName(samples)],
    [
      ['B', -4],
      ['a', 1],
      ['b', 60],
    ],
  );
  assert.deepEqual(metricNames(samples), ['B', 'a', 'b']);
  assert.equal(meanByName([]).size, 0);
  assert.deepEqual(metricNames([]), []);
});

test('a metric is printed with two decimals and its unit', () => {
  const rows = [
    ['latency', 12.5, 'ms', 'latency=12.50ms'],
    ['load', 0.126, '', 'load=0.13'],
    ['drift', -0.125, 's', 'drift=-0.13s'],
    ['total', 100, ' requests', 'total=100.00 requests'],
  ] as const;
  for (const [name, value, unit, text] of rows) assert.equal(formatMetric(name, value, unit), text);
});

const value = fc.oneof(fc.integer(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY));
const recorded = fc
  .tuple(fc.constantFrom('a', 'b'), value, fc.nat())
  .map(([name, met, timestamp]) => sample(name, met, timestamp));

holds(
  'the collector holds the end of what was finite, and counts all of the rest',
  fc.property(fc.array(recorded, { maxLength: 12 }), fc.nat(5), (samples, capacity) => {
    const collector = collected(capacity, samples);
    const finite = samples.filter((one) => Number.isFinite(one.value));
    const end = capacity === 0 ? [] : finite.slice(-capacity);
    assert.equal(collector.count, end.length);
    assert.equal(collector.dropped, samples.length - finite.length);
    for (const name of ['a', 'b']) {
      assert.deepEqual(
        collector.getByName(name),
        end.filter((one) => one.name === name),
      );
    }
  }),
);
