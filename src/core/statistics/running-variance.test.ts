// Goal: the variance of each window, with the divisor of its actual length while warming up (CP
// A.13, A.15, I.1-7). Method: the table, and each window against two passes over it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { runningVariance } from './running-variance.ts';
import { variance } from './spread.ts';

const nan = Number.NaN;

test('each value has the sample variance of the last window values, or fewer at the start', () => {
  const rows: readonly [readonly number[], number, readonly number[], string][] = [
    [[1, 4, 9, 16], 3, [0, 4.5, 16.3333, 36.3333], 'self-check'],
    [[10, 20, 30], 2, [0, 50, 50], 'warming up divides by the length less 1'],
    [[1, 4, 9], 9, [0, 4.5, 16.3333], 'window above n'],
    [[1, 4, 9], 1, [0, 0, 0], 'slices of one'],
    [[1, 4, 9], 0, [], 'window 0'],
    [[], 3, [], 'empty'],
    [[5, 5, 5, 5], 2, [0, 0, 0, 0], 'constant'],
    [[1, nan, 3, 5, 7], 2, [0, nan, nan, 2, 2], 'NaN stays in its windows'],
    [
      [1e200, 1, 3, 5],
      2,
      [0, Number.POSITIVE_INFINITY, 2, 2],
      'a huge value leaves nothing behind',
    ],
  ];
  for (const [values, window, expected, words] of rows) {
    const found = runningVariance(values, window);
    assert.equal(found.length, expected.length, words);
    expected.forEach((value, at) => {
      const near = Object.is(found[at], value) || Math.abs((found[at] ?? nan) - value) < 1e-4;
      assert.ok(near, `${words}, index ${at}: ${found[at]}`);
    });
  }
  assert.throws(() => runningVariance([1], -1));
});

holds(
  'every window equals the variance of its slice, never negative, also at a huge mean',
  fc.property(
    fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { maxLength: 60 }),
    fc.integer({ min: 1, max: 20 }),
    fc.constantFrom(0, 1e9, -1e12),
    (values, window, mean) => {
      const shifted = values.map((value) => value + mean);
      runningVariance(shifted, window).forEach((found, at) => {
        const slice = shifted.slice(Math.max(0, at - window + 1), at + 1);
        const expected = variance(slice);
        assert.ok(found >= 0);
        // Below 1e-300 squares are subnormal and have fewer digits.
        assert.ok(Math.abs(found - expected) <= 1e-9 * expected + 1e-300);
      });
    },
  ),
);
