// Goal: the rules over a series in its order, with their edges (CP A.13, A.15). Method: tables, and
// the moving average against the mean of each window taken by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { cumulativeSum, detectTrend, ema, movingAverage, rateOfChange } from './series.ts';

const nan = Number.NaN;

test('the moving average is the mean of each full window', () => {
  const rows: readonly [readonly number[], number, readonly number[], string][] = [
    [[1, 2, 3, 6], 2, [1.5, 2.5, 4.5], 'rule'],
    [[1, 2, 3, 6], 1, [1, 2, 3, 6], 'window of one'],
    [[1, 2, 3, 6], 4, [3], 'window of all'],
    [[1, 2, 3, 6], 9, [3], 'window above n: the mean of all'],
    [[1, 2], 0, [], 'window 0'],
    [[], 3, [], 'empty'],
    [[], 0, [], 'empty, window 0'],
    [[1, nan, 3, 5, 7], 2, [nan, nan, 4, 6], 'NaN stays in its windows'],
    [[1e16, 1, 1, 1, 3], 2, [5e15, 1, 1, 2], 'a large value leaves nothing behind'],
  ];
  for (const [values, window, expected, words] of rows) {
    assert.deepEqual(movingAverage(values, window), expected, words);
  }
  assert.throws(() => movingAverage([1], -1));
  assert.throws(() => movingAverage([1], 1.5));
});

test('the exponential mean weights the new value with alpha', () => {
  assert.equal(ema(4, 10, 0.25), 5.5, 'self-check');
  assert.equal(ema(4, 10, 1), 10);
  assert.equal(ema(4, 10, 0), 4);
});

test('running totals, and the change as a share of the old value', () => {
  assert.deepEqual(cumulativeSum([1, -2, 4]), [1, -1, 3]);
  assert.deepEqual(cumulativeSum([]), []);
  assert.deepEqual(cumulativeSum([1, nan, 2]), [1, nan, nan]);
  assert.equal(rateOfChange(100, 150), 0.5);
  assert.equal(rateOfChange(100, 50), -0.5);
  assert.equal(rateOfChange(-100, -150), 0.5);
  assert.equal(rateOfChange(0, 5), 0, 'from 0');
});

test('a trend is a last value more than the margin from the exponential mean', () => {
  const rows: readonly [readonly number[], number, number | undefined, string, string][] = [
    [[3, 2.4, 2], 0.5, undefined, 'stable', 'self-check'],
    [[1, 5, 9], 0.5, undefined, 'rising', 'rising'],
    [[9, 5, 1], 0.5, undefined, 'falling', 'falling'],
    [[0, 2], 0.5, undefined, 'stable', 'exactly the margin above'],
    [[2, 0], 0.5, undefined, 'stable', 'exactly the margin below'],
    [[0, 2.1], 0.5, undefined, 'rising', 'just above'],
    [[0, 2], 0.5, 0.5, 'rising', 'a smaller margin'],
    [[1, 5, 9], 0.5, 10, 'stable', 'a larger margin'],
    [[], 0.5, undefined, 'stable', 'empty'],
    [[7], 0.5, -1, 'stable', 'fewer than two'],
    [[1, nan], 0.5, undefined, 'stable', 'NaN is no trend'],
  ];
  for (const [values, alpha, margin, expected, words] of rows) {
    const found =
      margin === undefined ? detectTrend(values, alpha) : detectTrend(values, alpha, margin);
    assert.equal(found, expected, words);
  }
});

holds(
  'each moving average equals the mean of its window, and there are n - window + 1',
  fc.property(
    fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 60 }),
    fc.integer({ min: 1, max: 20 }),
    (values, window) => {
      const size = Math.min(window, values.length);
      const found = movingAverage(values, window);
      assert.equal(found.length, values.length - size + 1);
      found.forEach((mean, at) => {
        const slice = values.slice(at, at + size);
        const expected = slice.reduce((sum, value) => sum + value, 0) / size;
        const scale = slice.reduce((sum, value) => sum + Math.abs(value), 0) / size;
        assert.ok(Math.abs(mean - expected) <= 1e-9 * scale);
      });
    },
  ),
);
