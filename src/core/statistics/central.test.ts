// Goal: each middle of a sample follows its rule and answers at its edges (CP A.13). Method: tables,
// and the order of the means as a property.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { mean, median, trimmedMean, weightedMean } from './central.ts';

const nan = Number.NaN;
const huge = Number.MAX_VALUE;

test('the mean is the sum over the number of values', () => {
  const rows: readonly [readonly number[], number, string][] = [
    [[1, 2, 6], 3, 'rule'],
    [[], 0, 'empty'],
    [[1, nan], nan, 'NaN propagates'],
    [[1e16, 1, 1, -1e16], 0.5, 'small values beside large ones'],
    [[huge, huge], huge, 'a sum beyond the range of doubles'],
    [[Number.POSITIVE_INFINITY, 1], Number.POSITIVE_INFINITY, 'infinity propagates'],
    [[5e-324], 5e-324, 'subnormal'],
  ];
  for (const [values, expected, words] of rows) assert.equal(mean(values), expected, words);
});

test('the median is the middle value, or the mean of the two middle ones', () => {
  const rows: readonly [readonly number[], number, string][] = [
    [[9, 1, 5], 5, 'odd'],
    [[4, 1, 2, 9], 3, 'even'],
    [[], 0, 'empty'],
    [[nan, 7, nan], 7, 'NaN is left out'],
    [[nan], 0, 'only NaN is empty'],
    [[10, 9, 100], 10, 'ordered as numbers'],
    [[huge, huge], huge, 'the two do not overflow'],
  ];
  for (const [values, expected, words] of rows) assert.equal(median(values), expected, words);
});

test('the weighted mean is sum(v w) / sum(w)', () => {
  const rows: readonly [readonly number[], readonly number[], number, string][] = [
    [[10, 20, 30], [1, 2, 3], 70 / 3, 'rule'],
    [[], [], 0, 'empty'],
    [[1, 2], [1], 0, 'length mismatch'],
    [[1, 2], [0, 0], 0, 'no weight'],
    [[1, 2], [1, -1], 0, 'weights that cancel'],
    [[1, nan], [1, 1], nan, 'NaN propagates'],
  ];
  for (const [values, weights, expected, words] of rows) {
    assert.equal(weightedMean(values, weights), expected, words);
  }
});

test('the trimmed mean drops truncate(n x share) values at each end', () => {
  const six = [100, 1, 2, 3, 4, -100];
  const rows: readonly [readonly number[], number, number, string][] = [
    [six, 0.2, 2.5, 'one of six at each end'],
    [six, 0.16, 10 / 6, 'less than one is none'],
    [six, 0.49, 2.5, 'two of six'],
    [six, 0.5, 0, 'half'],
    [[1, 2, 3], 0.5, 0, 'half of an odd number'],
    [six, 0.7, 0, 'more than half'],
    [six, 0, 10 / 6, 'nothing'],
    [[], 0.1, 0, 'empty'],
    [[nan, 1, 3, nan], 0.25, 2, 'NaN is left out before counting'],
    [six, nan, 0, 'a share that is no number'],
    [six, -1, 10 / 6, 'a negative share drops nothing'],
  ];
  for (const [values, share, expected, words] of rows) {
    assert.ok(Math.abs(trimmedMean(values, share) - expected) < 1e-12, words);
  }
});

holds(
  'mean, median, weighted and trimmed mean lie within the extremes',
  fc.property(
    fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }),
    fc.double({ min: 0, max: 0.49, noNaN: true }),
    (values, share) => {
      const [least, most] = [Math.min(...values) - 1e-9, Math.max(...values) + 1e-9];
      const weights = values.map((_, at) => 1 + (at % 3));
      const middles = [
        mean(values),
        median(values),
        trimmedMean(values, share),
        weightedMean(values, weights),
      ];
      for (const middle of middles) assert.ok(middle >= least && middle <= most);
    },
  ),
);
