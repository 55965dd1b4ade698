// Goal: each gate says the number it read and whether it is open, exactly as the ladder judges it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatesDown, gatesUp } from './ladder-gates.ts';

const policy = {
  up: {
    burst: 1,
    burst_needed: 2,
    risk: 0.31,
    risk_threshold: 0.6,
    cooldown_left_seconds: 100,
    suppressed: 2,
  },
  down: { streak: 7, streak_needed: 5, hold_left_seconds: 0, recovered: false },
};

const openOf = (gates: ReturnType<typeof gatesUp>) => gates.map(({ open }) => open);

test('upwards a burst, a risk strictly above its threshold and the end of the cooldown open', () => {
  assert.deepEqual(openOf(gatesUp(policy)), [false, false, false]);
  const ready = { ...policy.up, burst: 2, risk: 0.61, cooldown_left_seconds: 0 };
  assert.deepEqual(openOf(gatesUp({ ...policy, up: ready })), [true, true, true]);
  const level = { ...policy.up, risk: 0.6 };
  assert.equal(openOf(gatesUp({ ...policy, up: level }))[1], false);
});

test('the cooldown says how long it lasts and what it held back', () => {
  const words = gatesUp(policy)[2]?.words;
  assert.equal(words, '1\u202fm 40\u202fs left, held back 2 escalations meanwhile');
  const calm = { ...policy.up, cooldown_left_seconds: 0, suppressed: 0 };
  assert.equal(gatesUp({ ...policy, up: calm })[2]?.words, 'over');
});

test('downwards the calm ticks, the hold and the recovery open', () => {
  assert.deepEqual(openOf(gatesDown(policy)), [true, true, false]);
  assert.equal(gatesDown(policy)[0]?.words, '5 of 5 good ticks in a row');
  const early = { streak: 4, streak_needed: 5, hold_left_seconds: 1, recovered: true };
  assert.deepEqual(openOf(gatesDown({ ...policy, down: early })), [false, false, true]);
});

test('below normal there is nothing', () => {
  const down = { ...policy.down, streak_needed: null };
  assert.deepEqual(gatesDown({ ...policy, down }), []);
});
