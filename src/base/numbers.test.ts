// Goal: the number rules hold at their edges, also beyond 2^32 and up to 2^53. Method: cases by hand,
// and whole numbers against BigInt arithmetic.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../test/support/properties.ts';
import {
  ceilDivide,
  clamp,
  isCount,
  roundHalfAway,
  saturatingDifference,
  unbounded,
} from './numbers.ts';

test('halves round away from zero, and there is no negative zero', () => {
  const cases = [
    [3.5, 4],
    [-3.5, -4],
    [-2.5, -3],
    [2.4, 2],
    [0.49999999999999994, 0],
    [-0.4, 0],
    [2 ** 53, 2 ** 53],
    [Number.NaN, Number.NaN],
  ] as const;
  for (const [value, expected] of cases) assert.equal(roundHalfAway(value), expected, `${value}`);
});

holds(
  'ceiling division of whole numbers is exact',
  fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (a, b) => {
    const exact = (BigInt(a) + BigInt(b) - 1n) / BigInt(b);
    assert.equal(BigInt(ceilDivide(a, b)), exact);
  }),
);

holds(
  'ceiling division is exact beside a multiple as well',
  fc.property(
    fc.integer({ min: 1, max: 2 ** 26 }),
    fc.nat({ max: 2 ** 26 }),
    fc.constantFrom(-1, 0, 1),
    (divisor, quotient, beside) => {
      const dividend = Math.max(0, divisor * quotient + beside);
      const exact = (BigInt(dividend) + BigInt(divisor) - 1n) / BigInt(divisor);
      assert.equal(BigInt(ceilDivide(dividend, divisor)), exact);
    },
  ),
);

test('clamping keeps both ends and passes NaN on', () => {
  assert.deepEqual(
    [-1, 0, 0.5, 1, 2].map((x) => clamp(x, 0, 1)),
    [0, 0, 0.5, 1, 1],
  );
  assert.ok(Number.isNaN(clamp(Number.NaN, 0, 1)));
});

test('a difference saturates at zero, counts are whole and safe, the sentinel survives JSON', () => {
  assert.deepEqual([saturatingDifference(5, 3), saturatingDifference(3, 5)], [2, 0]);
  const counts = [0, 2 ** 53 - 1, 2 ** 53, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY];
  assert.deepEqual(counts.map(isCount), [true, true, false, false, false, false, false]);
  assert.equal(JSON.parse(JSON.stringify(unbounded)), Number.MAX_VALUE);
});
