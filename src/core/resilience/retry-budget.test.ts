// Goal: what requests earn bounds the retries. Method: random runs of requests and retries.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { earnedAfter, earnedLess, floorBurst } from './retry-budget.ts';

holds(
  'retries are at most the share of the requests and the burst that was saved up (R1)',
  fc.property(
    fc.integer({ min: 0, max: 100 }),
    fc.array(fc.oneof(fc.integer({ min: 1, max: 500 }), fc.constant('retry' as const)), {
      maxLength: 300,
      size: 'max',
    }),
    (percent, run) => {
      const rule = { percent, floorPerSecond: 10 };
      let [earned, requests, retries] = [0, 0, 0];
      for (const what of run) {
        if (what === 'retry') {
          const left = earnedLess(earned);
          if (left !== undefined) retries++;
          earned = left ?? earned;
        } else {
          earned = earnedAfter(rule, earned, what);
          requests += what;
        }
        assert.ok(earned >= 0 && earned <= 10_000, `${earned}`);
        assert.ok(retries * 100 <= requests * percent, `${retries} of ${requests}`);
      }
    },
  ),
);

test('five requests at 20 % earn one retry, and a retry spends it', () => {
  const rule = { percent: 20, floorPerSecond: 10 };
  assert.equal(earnedLess(earnedAfter(rule, 0, 4)), undefined);
  assert.equal(earnedLess(earnedAfter(rule, 0, 5)), 0);
});

test('the floor may grant ten seconds at once, and a small one still grants one', () => {
  assert.equal(floorBurst({ percent: 20, floorPerSecond: 10 }), 100);
  assert.equal(floorBurst({ percent: 20, floorPerSecond: 0.05 }), 1);
  assert.equal(floorBurst({ percent: 20, floorPerSecond: 0 }), 0);
});
