// Goal: which side of a threshold the threshold itself is on. Rows of A.4 and of alert 004 (E.4).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertPriority, shouldAlert, withinTolerance } from './alert-level.ts';

test('a value alerts strictly above the threshold', () => {
  assert.equal(shouldAlert(0.95, 0.8), true);
  assert.equal(shouldAlert(0.8, 0.8), false);
  assert.equal(shouldAlert(0.79, 0.8), false);
  assert.equal(shouldAlert(Number.NaN, 0.8), false);
});

test('a level begins at its threshold', () => {
  const levels = [79, 80, 94, 95, 200, Number.NaN].map((value) => alertPriority(value, 80, 95));
  assert.deepEqual(levels, ['ok', 'warning', 'warning', 'critical', 'critical', 'ok']);
});

test('within, at, beyond the tolerance, on both sides', () => {
  const answers = [10, 10.5, 11, 11.5, 9, 8.5].map((value) => withinTolerance(value, 10, 1));
  assert.deepEqual(answers, [true, true, true, false, true, false]);
  assert.equal(withinTolerance(Number.NaN, 10, 1), false);
  assert.equal(withinTolerance(10, 10, 0), true);
});
