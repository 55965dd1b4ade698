// Goal: the cost rules of A.5 and the rows of ticket 003 (E.3). Method: tables with both sides of
// each edge; the identity of unit cost and total as a property.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { costPerUnit, estimateCost, estimateJobCost } from './cost-estimate.ts';
import { usdMax } from './money.ts';

test('a job costs rate times class times the factor of its objective, edges included', () => {
  const rows = [
    [4, 45, 12.5, 75],
    [1, 15, 1, 3],
    [1, 15.1, 1, 2],
    [1, 16, 1, 2],
    [1, 30, 1, 2],
    [1, 31, 1, 1.5],
    [1, 60, 1, 1.5],
    [1, 61, 1, 1],
    [1, 0, 1, 3],
    [5, 15, 10, 150],
    [7, 500, 10, 70],
    [5, 15, 0, 0],
    [0, 15, 10, 0],
  ] as const;
  for (const [priorityClass, slo, rate, expected] of rows) {
    const cost = estimateJobCost(priorityClass, slo, rate);
    assert.equal(cost, expected, `class ${priorityClass}, ${slo} minutes, ${rate}`);
  }
});

test('2.00 over 1000 is 0.002 each and 2.00 in all, in USD', () => {
  const estimate = estimateCost({ totalCost: 2, quantity: 1000 });
  const value = { costPerUnit: 0.002, totalEstimate: 2, currency: 'USD' };
  assert.deepEqual(estimate, { ok: true, value });
});

test('a quantity of 0 costs 0 and divides by nothing', () => {
  assert.equal(costPerUnit(2, 0), 0);
  assert.equal(costPerUnit(0, 0), 0);
  assert.equal(costPerUnit(Number.NaN, 0), 0);
  assert.equal(costPerUnit(7, 2), 3.5);
  const estimate = estimateCost({ totalCost: 2, quantity: 0 });
  const value = { costPerUnit: 0, totalEstimate: 0, currency: 'USD' };
  assert.deepEqual(estimate, { ok: true, value });
});

test('an estimate is refused with field, value and bound', () => {
  const rows = [
    [
      { totalCost: -0.01 },
      /^cost estimate: totalCost is -0.01, but must be within 0\.\.9007199254$/,
    ],
    [{ totalCost: Number.NaN }, /totalCost is NaN/],
    [{ totalCost: Number.POSITIVE_INFINITY }, /totalCost is Infinity/],
    [{ totalCost: usdMax + 0.01 }, /totalCost is 9007199254.01/],
    [{ quantity: -1 }, /quantity is -1, but must be a whole number within 0\.\.9007199254740991$/],
    [{ quantity: 0.5 }, /quantity is 0.5/],
    [{ quantity: Number.NaN }, /quantity is NaN/],
    [{ quantity: 2 ** 53 }, /quantity is 9007199254740992/],
  ] as const;
  for (const [changes, words] of rows) {
    const refused = estimateCost({ totalCost: 2, quantity: 1000, ...changes });
    assert.ok(!refused.ok, String(words));
    assert.equal(refused.error.code, 'invalid_cost_request');
    assert.match(refused.error.message, words);
  }
});

test('both faults of an estimate are told at once, and the bounds themselves are accepted', () => {
  const refused = estimateCost({ totalCost: -1, quantity: -1 });
  const fields = refused.ok ? [] : refused.error.details?.map(({ field }) => field);
  assert.deepEqual(fields, ['totalCost', 'quantity']);
  assert.ok(estimateCost({ totalCost: usdMax, quantity: Number.MAX_SAFE_INTEGER }).ok);
  assert.ok(estimateCost({ totalCost: 0, quantity: 1 }).ok);
  assert.ok(Number.isSafeInteger(usdMax * 1_000_000));
});

function near(actual: number, expected: number): void {
  const words = `${actual} is not ${expected}`;
  assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.abs(expected), words);
}

test('for every quantity from 1 to 10 000 unit cost times quantity is the total', () => {
  for (const total of [2, 0.01, 1 / 3, 123_456.78, usdMax]) {
    for (let quantity = 1; quantity <= 10_000; quantity += 1) {
      const error = Math.abs(costPerUnit(total, quantity) * quantity - total);
      if (error > 1e-9 * total) assert.fail(`${total} over ${quantity}`);
    }
  }
});

holds(
  'unit cost times quantity is the total within 1e-9 of it, for any total',
  fc.property(
    fc.double({ min: 1e-200, max: usdMax, noNaN: true }),
    fc.integer({ min: 1, max: 10_000 }),
    (totalCost, quantity) => {
      near(costPerUnit(totalCost, quantity) * quantity, totalCost);
      const estimate = estimateCost({ totalCost, quantity });
      assert.ok(estimate.ok);
      near(estimate.value.totalEstimate, totalCost);
      assert.equal(estimate.value.costPerUnit, costPerUnit(totalCost, quantity));
    },
  ),
);

holds(
  'a job never costs less than nothing, and a tighter objective never costs less',
  fc.property(
    fc.nat({ max: 7 }),
    fc.nat({ max: 200 }),
    fc.nat({ max: 200 }),
    fc.double({ min: 0, max: 1e6, noNaN: true }),
    (priorityClass, a, b, rate) => {
      const tight = estimateJobCost(priorityClass, Math.min(a, b), rate);
      const wide = estimateJobCost(priorityClass, Math.max(a, b), rate);
      assert.ok(wide >= 0 && tight >= wide);
    },
  ),
);
