// Goal: the threads share one budget. Method: several openings of one block, as the threads have them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryBudget } from './retry-budget.ts';

const startMs = 1_800_000_000_000;

function budgets(percent: number, floorPerSecond: number) {
  const parts = RetryBudget.create({ percent, floorPerSecond }, startMs);
  return [new RetryBudget(parts), new RetryBudget(parts)] as const;
}

function granted(budget: RetryBudget, nowMs: number, asked = 1000): number {
  let count = 0;
  for (let i = 0; i < asked; i++) if (budget.mayRetry(nowMs)) count++;
  return count;
}

test('the floor is that of all threads together, and comes back with time', () => {
  const [one, other] = budgets(20, 10);
  assert.equal(granted(one, startMs) + granted(other, startMs), 100);
  assert.equal(granted(other, startMs + 510), 5);
});

test('five requests earn a retry, whichever thread served them', () => {
  const [one, other] = budgets(20, 0);
  assert.equal(granted(one, startMs), 0);
  for (let i = 0; i < 320; i++) one.requested();
  assert.equal(granted(other, startMs), 64);
  for (let i = 0; i < 5; i++) other.requested();
  assert.equal(granted(other, startMs), 1);
});

test('a day of calm does not save up more than a burst', () => {
  const [one] = budgets(20, 0);
  for (let i = 0; i < 100_000; i++) one.requested();
  assert.equal(granted(one, startMs), 100);
});

test('without share and floor nothing is retried', () => {
  const [one] = budgets(0, 0);
  for (let i = 0; i < 1000; i++) one.requested();
  assert.equal(granted(one, startMs), 0);
});
