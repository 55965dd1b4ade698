// Goal: which amounts the allocator takes, at both bounds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amountBound, isAmount, usdMax } from './money.ts';

test('an amount is from 0 to the most whose cents and micro-dollars are exact', () => {
  assert.ok([0, 0.01, usdMax].every(isAmount));
  const others = [-0.01, usdMax + 0.01, Number.NaN, Number.POSITIVE_INFINITY];
  for (const other of others) assert.ok(!isAmount(other), String(other));
  assert.ok(Number.isSafeInteger(usdMax * 1_000_000));
  assert.equal(amountBound, 'within 0..9007199254');
});
