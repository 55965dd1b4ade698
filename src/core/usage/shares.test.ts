// Goal: shares are whole, sum to the total, and are within one of what is exactly due. Method: a table
// and a property.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { sharesOf } from './shares.ts';

test('what is left goes to the largest remainders, then to the earlier', () => {
  assert.deepEqual(sharesOf(10, [1, 1, 1]), [4, 3, 3]);
  assert.deepEqual(sharesOf(10, [1, 2, 3]), [2, 3, 5]);
  assert.deepEqual(sharesOf(7, [0, 0]), [4, 3]);
  assert.deepEqual(sharesOf(0, [3, 1]), [0, 0]);
  assert.deepEqual(sharesOf(5, [9]), [5]);
});

holds(
  'shares are whole, sum to the total, and differ from what is due by less than one',
  fc.property(
    fc.nat({ max: 2 ** 24 }),
    fc.array(fc.nat({ max: 100_000 }), { minLength: 1, maxLength: 40 }),
    (total, weights) => {
      const shares = sharesOf(total, weights);
      const sum = weights.reduce((all, weight) => all + weight, 0);
      assert.equal(
        shares.reduce((all, share) => all + share, 0),
        total,
      );
      shares.forEach((share, i) => {
        const due = sum === 0 ? total / weights.length : (total * (weights[i] ?? 0)) / sum;
        assert.ok(Number.isInteger(share) && Math.abs(share - due) < 1 + 1e-6);
      });
    },
  ),
);
