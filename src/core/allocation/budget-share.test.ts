// Goal: a budget is shared by urgency to the cent (A.5). Method: cases worked by hand; sums, and
// the bounds of each share, as properties over all sizes; exact shares against integers of any
// length.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { roundHalfAway } from '../../base/numbers.ts';
import { type BudgetShare, shareBudget } from './budget-share.ts';
import type { PlacementCandidate } from './candidate.ts';
import { usdMax } from './money.ts';

function candidatesOf(urgencies: readonly number[]): readonly PlacementCandidate[] {
  return urgencies.map((urgency, at) => ({ id: `c${at}`, urgency, etaMinutes: 0 }));
}

function shared(candidates: readonly PlacementCandidate[], budget: number): readonly BudgetShare[] {
  const result = shareBudget(candidates, budget);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function centsOf(shares: readonly BudgetShare[]): readonly number[] {
  return shares.map(({ share }) => roundHalfAway(share * 100));
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

test('shares are proportional to urgency, in the order of the input', () => {
  assert.deepEqual(shared(candidatesOf([1, 3]), 100), [
    { id: 'c0', share: 25 },
    { id: 'c1', share: 75 },
  ]);
});

test('cents that remain go to the largest remainders, and among equals by id', () => {
  const rows = [
    [[1, 1, 1], 100, [33.34, 33.33, 33.33], 'equal remainders'],
    [[1, 1, 1], 0.02, [0.01, 0.01, 0], 'fewer cents than candidates'],
    [[2, 3, 5], 0.11, [0.02, 0.03, 0.06], 'remainders 0.2, 0.3 and 0.5'],
    [[6, 3, 1], 0.01, [0.01, 0, 0], 'one cent'],
    [[5, 0, 5], 0.01, [0.01, 0, 0], 'nothing to those without urgency'],
    [[0, 7], 12.34, [0, 12.34], 'all to one'],
    [[1, 2], 0, [0, 0], 'no budget'],
    [[0.5, 0.25], 3, [2, 1], 'fractions of urgency'],
  ] as const;
  for (const [urgencies, budget, expected, name] of rows) {
    const shares = shared(candidatesOf(urgencies), budget).map(({ share }) => share);
    assert.deepEqual(shares, expected, name);
  }
  const [b, a] = shared(
    [
      { id: 'b', urgency: 1, etaMinutes: 0 },
      { id: 'a', urgency: 1, etaMinutes: 0 },
    ],
    0.01,
  );
  assert.deepEqual([b?.share, a?.share], [0, 0.01], 'the smaller id, although it came later');
});

test('nobody shares nothing, and without any urgency everyone gets 0', () => {
  assert.deepEqual(shared([], 100), []);
  assert.deepEqual(centsOf(shared(candidatesOf([0, 0]), 100)), [0, 0]);
});

test('the budget itself is rounded to cents', () => {
  assert.deepEqual(centsOf(shared(candidatesOf([1]), 10.006)), [1001]);
  assert.deepEqual(centsOf(shared(candidatesOf([1]), 0.005)), [1]);
});

test('a budget out of bounds, an invalid candidate and a repeated id are refused', () => {
  for (const budget of [-0.01, Number.NaN, Number.POSITIVE_INFINITY, usdMax + 1]) {
    const refused = shareBudget(candidatesOf([1]), budget);
    assert.ok(!refused.ok && refused.error.code === 'invalid_budget', String(budget));
    const words = `budget is ${budget}, but must be within 0..${usdMax}`;
    assert.ok(refused.error.message.includes(words), refused.error.message);
  }
  const invalid = shareBudget(candidatesOf([1, -1]), 1);
  assert.ok(!invalid.ok && invalid.error.code === 'invalid_candidate');
  const [one] = candidatesOf([1]);
  assert.ok(one !== undefined);
  const twice = shareBudget([one, one], 1);
  assert.ok(!twice.ok && twice.error.code === 'duplicate_candidate');
});

test('the largest budget and the largest urgencies are shared to the cent', () => {
  const most = Number.MAX_SAFE_INTEGER;
  const cents = centsOf(shared(candidatesOf([most, most, most, 1, 0.5]), usdMax));
  assert.equal(sum(cents), usdMax * 100);
  const tiny = centsOf(shared(candidatesOf([5e-324, 5e-324, most]), 0.03));
  assert.deepEqual(tiny, [0, 0, 3]);
});

const urgency = fc.oneof(
  fc.nat({ max: 200 }),
  fc.double({ min: 0, max: 1000, noNaN: true }),
  fc.double({ min: 0, max: Number.MAX_SAFE_INTEGER, noNaN: true }),
);
const budgets = fc.oneof(fc.nat({ max: 10_000_000 }), fc.nat({ max: 50 })).map((c) => c / 100);

holds(
  'the shares sum to the budget exactly, in any order alike, each within a cent of its exact share',
  fc.property(fc.array(urgency, { minLength: 1, maxLength: 20 }), budgets, (urgencies, budget) => {
    const total = sum(urgencies);
    const candidates = candidatesOf(urgencies);
    const cents = centsOf(shared(candidates, budget));
    const turned = centsOf(shared(candidates.toReversed(), budget));
    assert.deepEqual(turned.toReversed(), cents);
    const budgetCents = roundHalfAway(budget * 100);
    assert.equal(sum(cents), total === 0 ? 0 : budgetCents);
    for (const [at, own] of urgencies.entries()) {
      const exact = total === 0 ? 0 : (own / total) * budgetCents;
      const gap = Math.abs((cents[at] ?? Number.NaN) - exact);
      assert.ok(gap < 1 + 1e-6, `${cents[at]} cents of ${exact}`);
    }
  }),
);

/** Hamilton's method on integers without any rounding; ids are c0, c1, ... of one digit. */
function hamilton(urgencies: readonly number[], budgetCents: number): readonly number[] {
  const total = BigInt(sum(urgencies));
  const exact = urgencies.map((own) => BigInt(own) * BigInt(budgetCents));
  const cents = exact.map((product) => product / total);
  const left = BigInt(budgetCents) - cents.reduce((a, b) => a + b, 0n);
  const first = [...exact.keys()].sort((a, b) => {
    const [x = 0n, y = 0n] = [exact[a], exact[b]].map((product = 0n) => product % total);
    return x === y ? a - b : x > y ? -1 : 1;
  });
  const lucky = new Set(first.slice(0, Number(left)));
  return cents.map((own, at) => Number(own) + (lucky.has(at) ? 1 : 0));
}

holds(
  'whole urgencies are shared as exact arithmetic would, and in any order alike',
  fc.property(
    fc.array(fc.nat({ max: 500 }), { minLength: 1, maxLength: 10 }),
    fc.nat({ max: 100_000_000 }),
    (urgencies, budgetCents) => {
      if (sum(urgencies) === 0) return;
      const candidates = candidatesOf(urgencies);
      const shares = shared(candidates, budgetCents / 100);
      assert.deepEqual(centsOf(shares), hamilton(urgencies, budgetCents));
      const turned = shared(candidates.toReversed(), budgetCents / 100);
      assert.deepEqual(turned.toReversed(), shares);
    },
  ),
);

holds(
  'budgets and urgencies beyond exact arithmetic still sum to the cent',
  fc.property(
    fc.array(fc.double({ min: 0, max: Number.MAX_SAFE_INTEGER, noNaN: true }), {
      minLength: 1,
      maxLength: 30,
    }),
    fc.double({ min: 0, max: usdMax, noNaN: true }),
    (urgencies, budget) => {
      const cents = centsOf(shared(candidatesOf(urgencies), budget));
      const expected = sum(urgencies) === 0 ? 0 : roundHalfAway(budget * 100);
      assert.equal(sum(cents), expected);
      assert.ok(cents.every((own) => own >= 0));
    },
  ),
);
