// Goal: variance and what follows from it are in sample form, keep their digits, and answer at their
// edges (CP A.13, A.15, C8). Method: tables; the variance against the textbook's two passes in
// BigInt, which round nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import {
  iqr,
  minMaxNormalize,
  outlierIndices,
  stddev,
  sumOfSquares,
  variance,
  zScore,
} from './spread.ts';

const nan = Number.NaN;

test('variance divides by n - 1 unless told otherwise', () => {
  const rows: readonly [readonly number[], number, number, string][] = [
    [[3, 7, 7, 19], 1, 48, 'self-check'],
    [[3, 7, 7, 19], 0, 36, 'of a population'],
    [[5], 1, 0, 'one value'],
    [[5], 0, 0, 'one value, population'],
    [[], 1, 0, 'empty'],
    [[1, 2], 2, 0, 'no divisor left'],
    [[0.1, 0.1, 0.1], 1, 0, 'a constant series has none at all'],
    [[1e9, 1e9 + 2 ** -20], 1, 2 ** -41, 'a huge mean hides no tiny spread'],
    [[1, nan], 1, nan, 'NaN propagates'],
  ];
  for (const [values, ddof, expected, words] of rows) {
    assert.equal(variance(values, ddof), expected, words);
    assert.equal(stddev(values, ddof), Math.sqrt(expected), `${words}, stddev`);
  }
  assert.equal(variance([3, 7, 7, 19]), 48);
  assert.equal(stddev([3, 7, 7, 19]), Math.sqrt(48));
});

holds(
  'the variance equals that of exact arithmetic',
  fc.property(
    fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 2, maxLength: 50 }),
    fc.integer({ min: -1e9, max: 1e9 }),
    (integers, mean) => {
      const n = BigInt(integers.length);
      const sum = integers.reduce((total, value) => total + BigInt(value), 0n);
      // n^2 times the sum of squared deviations, divided at the end.
      const squares = integers.reduce((total, value) => {
        const deviation = n * BigInt(value) - sum;
        return total + deviation * deviation;
      }, 0n);
      const expected = Number(squares) / Number(n * n * (n - 1n));
      const found = variance(integers.map((value) => value + mean));
      assert.ok(Math.abs(found - expected) <= 1e-12 * expected);
    },
  ),
);

test('the sum of squares is the sum of v^2', () => {
  assert.equal(sumOfSquares([1, -2, 3]), 14);
  assert.equal(sumOfSquares([]), 0);
  assert.ok(Number.isNaN(sumOfSquares([nan, 1])));
});

test('the interquartile range is element floor(3n/4) less element floor(n/4)', () => {
  const rows: readonly [readonly number[], number, string][] = [
    [[9, 1, 5, 3], 6, 'self-check'],
    [[1, 2, 3, 4, 5, 6, 7, 8], 4, 'eight'],
    [[1, 2, 3], 0, 'fewer than four'],
    [[1, 2, 3, nan], 0, 'fewer than four once NaN is left out'],
    [[nan, 9, 1, 5, 3], 6, 'NaN is left out'],
    [[4, 4, 4, 4], 0, 'no range'],
    [Array.from({ length: 8 }, () => Number.POSITIVE_INFINITY), 0, 'never NaN of infinities'],
  ];
  for (const [values, expected, words] of rows) assert.equal(iqr(values), expected, words);
});

test('a z-score counts deviations, a share of the span is not clamped', () => {
  assert.equal(zScore(7, 5, 4), 0.5);
  assert.equal(zScore(3, 5, 4), -0.5);
  assert.equal(zScore(7, 5, 0), 0, 'no deviation');
  assert.ok(Number.isNaN(zScore(nan, 5, 4)));
  assert.equal(minMaxNormalize(5, 0, 10), 0.5);
  assert.equal(minMaxNormalize(15, 0, 10), 1.5, 'above');
  assert.equal(minMaxNormalize(-5, 0, 10), -0.5, 'below');
  assert.equal(minMaxNormalize(5, 3, 3), 0, 'no span');
});

test('outliers are the values whose z-score is above the limit, either way', () => {
  const steady = Array.from({ length: 20 }, (_, at) => 10 + (at % 2));
  const rows: readonly [readonly number[], number, readonly number[], string][] = [
    [[...steady, 100], 3, [20], 'above'],
    [[-100, ...steady], 3, [0], 'below'],
    [[-1, 0, 1], 1, [], 'exactly at the limit is none'],
    [[1, 3], 0.7, [0, 1], 'both, ascending'],
    [[5], 0, [], 'fewer than two'],
    [[], 0, [], 'empty'],
    [Array.from({ length: 10 }, () => 0.1), -1, [], 'no deviation, whatever the limit'],
    [[1, 2, nan, 100], 1, [], 'NaN leaves nothing to compare with'],
  ];
  for (const [values, limit, expected, words] of rows) {
    assert.deepEqual(outlierIndices(values, limit), expected, words);
  }
});
