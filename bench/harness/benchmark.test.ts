// Goal: a report says `pass` only when everything was measured and every target met. Method: judge
// made-up measurements.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Benchmark, meets, reportOf } from './benchmark.ts';
import { median, rounded } from './statistics.ts';

const benchmark: Benchmark = {
  name: 'made-up',
  words: '',
  targets: { ratio: { op: '<=', value: 2 }, held: { op: '==', value: 8 } },
  run: () => Promise.reject(new Error('never run')),
};

function passes(metrics: Readonly<Record<string, number>>, missing: readonly string[] = []) {
  return reportOf(benchmark, { metrics, config: {}, missing }).pass;
}

test('a report passes when every target is met, bounds included', () => {
  assert.equal(passes({ ratio: 2, held: 8 }), true);
});

test('a missed target, an unmeasured metric, NaN or a missing peer each fail the report', () => {
  assert.equal(passes({ ratio: 2.01, held: 8 }), false);
  assert.equal(passes({ ratio: 1, held: 7 }), false);
  assert.equal(passes({ held: 8 }), false);
  assert.equal(passes({ ratio: Number.NaN, held: 8 }), false);
  assert.equal(passes({ ratio: 1, held: 8 }, ['haproxy']), false);
});

test('targets compare as their operator says', () => {
  assert.equal(meets(3, { op: '>=', value: 3 }), true);
  assert.equal(meets(2.9, { op: '>=', value: 3 }), false);
  assert.equal(meets(undefined, { op: '>=', value: 3 }), false);
});

test('a median is the middle value, or the mean of the middle two', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 2, 9]), 3);
  assert.throws(() => median([]), RangeError);
  assert.equal(rounded(1.23456, 2), 1.23);
});
