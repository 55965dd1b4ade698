// Goal: Jain's index of A.9 within its range, the A.15 value, and the edges. Method: cases, and the
// bounds over random allocations.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { fairnessIndex } from './fairness.ts';

test('4, 2 and 2 share with fairness 0.8889', () => {
  assert.ok(Math.abs(fairnessIndex([4, 2, 2]) - 8 / 9) < 1e-12);
});

test('equal shares are fair, one who takes all is 1/n', () => {
  assert.equal(fairnessIndex([7, 7, 7, 7, 7]), 1);
  assert.equal(fairnessIndex([0, 0, 9, 0]), 0.25);
  assert.equal(fairnessIndex([1e-200, 1e-200]), 1, 'squares that vanish');
  assert.equal(fairnessIndex([1e200, 1e200]), 1, 'squares that overflow');
});

test('nobody, or nothing given to anybody, is fair', () => {
  assert.equal(fairnessIndex([]), 1);
  assert.equal(fairnessIndex([0, 0, 0]), 1);
  assert.ok(Number.isNaN(fairnessIndex([1, Number.NaN])));
});

holds(
  'the index lies between 1/n and 1 and does not depend on the unit',
  fc.property(fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 40 }), (given) => {
    const index = fairnessIndex(given);
    assert.ok(index <= 1, String(index));
    assert.ok(index >= 1 / given.length - 1e-12, String(index));
    const doubled = fairnessIndex(given.map((value) => value * 2));
    assert.ok(Math.abs(doubled - index) < 1e-12);
  }),
);
