// Goal: a sketch becomes a native histogram without losing a count, and each value is told within
// the stated error (CP D.3). Method: known powers, and properties at several scales.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { LogSketch } from './log-sketch.ts';
import type { NativeBuckets } from './native-histogram.ts';

function sketchOf(values: Iterable<number>): LogSketch {
  const sketch = new LogSketch();
  for (const value of values) sketch.add(value);
  return sketch;
}

test('values lie between the powers of the base', () => {
  const histogram = sketchOf([1.5, 3, 3, 6, -3, 0, -0]).toNativeHistogram(0);
  assert.deepEqual(histogram.positive, { indexes: [0, 1, 2], counts: [1, 2, 1] });
  assert.deepEqual(histogram.negative, { indexes: [1], counts: [1] });
  assert.deepEqual([histogram.zeroCount, histogram.count, histogram.sum], [2, 7, 10.5]);
  assert.deepEqual([histogram.min, histogram.max], [-3, 6]);
  assert.equal(histogram.zeroThreshold, 2 ** -1022);
});

test('a negative scale joins octaves, an empty sketch has no buckets', () => {
  const histogram = sketchOf([1.5, 3, 6, 12, 24]).toNativeHistogram(-1);
  assert.deepEqual(histogram.positive, { indexes: [0, 1, 2], counts: [2, 2, 1] });
  const empty = new LogSketch().toNativeHistogram(5);
  assert.deepEqual([empty.count, empty.positive.indexes.length], [0, 0]);
  for (const scale of [-11, 21, 0.5]) assert.throws(() => sketchOf([1]).toNativeHistogram(scale));
});

test('what was folded is below the zero threshold', () => {
  const sketch = new LogSketch();
  for (let power = 0; power < 40; power += 1) sketch.add(1.5 * 2 ** power);
  const histogram = sketch.toNativeHistogram(3);
  assert.deepEqual([histogram.zeroCount, histogram.zeroThreshold], [12, 2 ** 12]);
});

test('the scale 5 of Prometheus at 1.1 % stays below 1.6 %', () => {
  assert.ok(new LogSketch().toNativeHistogram(5).relativeErrorMax < 0.016);
  assert.equal(new LogSketch().toNativeHistogram(-10).relativeErrorMax < 2, true);
});

/** The value at a rank by magnitude, from the middles of the buckets. */
function middleAtRank({ indexes, counts }: NativeBuckets, rank: number, scale: number): number {
  let left = rank;
  const at = counts.findIndex((count) => {
    left -= count;
    return left <= 0;
  });
  const base = 2 ** (2 ** -scale);
  const lower = base ** (indexes[at] ?? Number.NaN);
  return (2 * lower * base) / (1 + base);
}

holds(
  'every count is kept, and every value is told within the stated error',
  fc.property(
    fc.array(fc.double({ min: 1e-3, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 60 }),
    fc.integer({ min: -4, max: 8 }),
    (values, scale) => {
      const { positive, negative, zeroCount, count, relativeErrorMax } = sketchOf([
        ...values,
        ...values.map((value) => -value),
      ]).toNativeHistogram(scale);
      const total = [...positive.counts, ...negative.counts].reduce((sum, one) => sum + one, 0);
      assert.equal(total + zeroCount, 2 * values.length);
      assert.equal(count, 2 * values.length);
      assert.deepEqual(positive, negative);
      values
        .toSorted((a, b) => a - b)
        .forEach((value, at) => {
          const middle = middleAtRank(positive, at + 1, scale);
          assert.ok(Math.abs(middle - value) <= relativeErrorMax * value * (1 + 1e-9));
        });
    },
  ),
);
