// Goal: the budget in time is the share in time, and no data is never a full or an empty budget.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budgetMs, budgetWords, missedWords } from './error-budget.ts';

const slo = {
  words: 'first byte within 2000 ms, no server error',
  first_byte_ms: 2000,
  objective: 0.99,
  period_days: 30,
  budget_left: 0.61,
  requests: 91_000,
  bad: 412,
};

const thin = '\u202f';

test('an objective of 99 % over 30 days allows 7 h 12 m, of which a share is left', () => {
  assert.equal(budgetMs(slo), 25_920_000);
  assert.equal(budgetMs({ ...slo, objective: 0.9 }), 259_200_000);
  assert.equal(budgetWords(slo), `61${thin}% = 4${thin}h 23${thin}m of 7${thin}h 12${thin}m`);
});

test('a spent, an overdrawn and an unknown budget are told apart', () => {
  assert.equal(budgetWords({ ...slo, budget_left: 0 }), `none of 7${thin}h 12${thin}m`);
  assert.equal(budgetWords({ ...slo, budget_left: -0.5 }), `none of 7${thin}h 12${thin}m`);
  assert.equal(budgetWords({ ...slo, budget_left: null }), '–');
});

test('the requests that missed the objective are counted over the period', () => {
  assert.match(missedWords(slo), /^412 of 91\u202f000 requests missed it in 30 days/);
  assert.match(missedWords({ ...slo, requests: 0 }), /^No request was counted/);
});
