// Goal: outliers are found where they hide from mean and deviation. Method: a table, and a property
// with a known number of planted ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { robustOutlierIndices } from './robust-outliers.ts';
import { outlierIndices } from './spread.ts';

const nan = Number.NaN;

test('values far from the median, in deviations that outliers do not move', () => {
  const rows: readonly [readonly number[], number | undefined, readonly number[], string][] = [
    [[10, 11, 9, 10, 12, 8, 100], undefined, [6], 'one'],
    [[10, 11, 9, -80, 12, 100, 95], undefined, [3, 5, 6], 'three of seven'],
    [[9, 10, 11, 9, 10, 11, 14.5], undefined, [], 'within 3.5 deviations of 1.48 MAD'],
    [[9, 10, 11, 9, 10, 11, 15.5], undefined, [6], 'beyond'],
    [[1, 2, 3, 4, 5], undefined, [], 'none'],
    [[1, 2, 3, 4, 5], 1, [0, 4], 'a tighter limit'],
    [[5, 5, 5, 5, 5, 9], undefined, [5], 'more than half are equal'],
    [[5, 5, 5], undefined, [], 'all are equal'],
    [[], undefined, [], 'empty'],
    [[7], undefined, [], 'one value'],
    [[10, nan, 11, 9, 10, 100, nan], undefined, [5], 'NaN is left out and is none'],
  ];
  for (const [values, limit, expected, words] of rows) {
    const found =
      limit === undefined ? robustOutlierIndices(values) : robustOutlierIndices(values, limit);
    assert.deepEqual(found, expected, words);
  }
});

test('two large outliers of ten hide from the z-score and not from the median', () => {
  const values = [10, 11, 9, 10, 12, 8, 10, 11, 500, 480];
  assert.deepEqual(outlierIndices(values, 3), []);
  assert.deepEqual(robustOutlierIndices(values), [8, 9]);
});

holds(
  'planted outliers are found while they are fewer than half',
  fc.property(
    fc.array(fc.integer({ min: -10, max: 10 }), { minLength: 12, maxLength: 40 }),
    fc.integer({ min: 0, max: 5 }),
    (values, planted) => {
      const all = [...values, ...Array.from({ length: planted }, () => 1e6)];
      const found = robustOutlierIndices(all).filter((at) => at >= values.length);
      assert.equal(found.length, planted);
    },
  ),
);
