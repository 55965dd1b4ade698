// Goal: the completion estimate of A.7 with its edges.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unbounded } from '../../base/numbers.ts';
import { completionMinutes } from './completion.ts';

test('work over rate per hour is told in minutes', () => {
  assert.equal(completionMinutes(45, 30), 90);
  assert.equal(completionMinutes(60, 10), 360);
  assert.equal(completionMinutes(0, 30), 0);
});

test('what never ends is the largest finite number, and so is what would be more than that', () => {
  assert.equal(completionMinutes(45, 0), unbounded);
  assert.equal(completionMinutes(45, -1), unbounded);
  assert.equal(completionMinutes(0, 0), unbounded);
  assert.equal(completionMinutes(1e308, 1e-308), unbounded);
  assert.equal(JSON.parse(JSON.stringify(completionMinutes(45, 0))), unbounded);
  assert.ok(Number.isNaN(completionMinutes(Number.NaN, 1)));
});
