// Goal: hedges never cost more than their share of the tokens and the burst, by generated runs; a
// hedge that has no room costs nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { HedgeBudget } from './hedge-budget.ts';

const burstTokens = 100_000;

test('nothing is granted before anything was earned, and all of what was earned', () => {
  const budget = new HedgeBudget(5);
  assert.equal(budget.take(1), false);
  budget.earn(1000);
  assert.equal(budget.take(51), false);
  assert.equal(budget.take(50), true);
  assert.equal(budget.take(1), false);
});

test('what calm times save up is bounded', () => {
  const budget = new HedgeBudget(100);
  budget.earn(10 * burstTokens);
  assert.equal(budget.take(burstTokens + 1), false);
  assert.equal(budget.take(burstTokens), true);
});

const step = fc.record({ isHedge: fc.boolean(), tokens: fc.integer({ min: 0, max: 200_000 }) });

holds(
  'tokens granted over any run are at most the share of the tokens asked for, plus the burst (H1)',
  fc.property(fc.integer({ min: 1, max: 100 }), fc.array(step), (percent, steps) => {
    const budget = new HedgeBudget(percent);
    let sinceAsked = 0;
    let sinceGranted = 0;
    for (const { isHedge, tokens } of steps) {
      if (!isHedge) {
        budget.earn(tokens);
        sinceAsked += tokens;
      } else if (budget.take(tokens)) sinceGranted += tokens;
      assert.ok(sinceGranted <= (sinceAsked * percent) / 100 + burstTokens);
    }
  }),
);
