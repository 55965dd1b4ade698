// Goal: the status of a budget and its alarms at and around every threshold; months of the calendar.
// Method: tables; random walks of spending.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { MonthClock, monthMs, monthOf, monthText } from './month.ts';
import {
  budgetStatus,
  monthBudget,
  reservationLimit,
  utilizationPercent,
  watchBudget,
} from './month-budget.ts';

const budget = monthBudget(100, 75, 'block_cloud');
const usd = 1_000_000;

it('at 75 percent the soft limit begins, at 100 the hard one', () => {
  const statuses = [0, 74.999999, 75, 99.999999, 100, 250].map((spent) =>
    budgetStatus(budget, Math.round(spent * usd)),
  );
  const expected = ['Normal', 'Normal', 'SoftLimit', 'SoftLimit', 'HardLimit', 'HardLimit'];
  assert.deepEqual(statuses, expected);
  assert.equal(utilizationPercent(budget, 312 * usd), 312);
});

it('without a limit nothing is ever spent too far', () => {
  const none = monthBudget(0, 75, 'block_all');
  assert.equal(budgetStatus(none, 1e15), 'Normal');
  assert.equal(reservationLimit(none, 'open'), undefined);
  assert.equal(utilizationPercent(none, 1e15), 0);
  assert.deepEqual(watchBudget({ month: 0, percents: [] }, none, 1, 1e15).news, []);
});

it('a limit that only warns holds nobody back', () => {
  assert.equal(reservationLimit(monthBudget(1, 75, 'warn'), 'open'), undefined);
  assert.equal(reservationLimit(budget, 'open'), 100 * usd);
  assert.equal(reservationLimit(budget, 'restricted'), undefined);
  assert.equal(reservationLimit(monthBudget(1, 75, 'block_all'), 'restricted'), usd);
});

holds(
  'however the money is spent, each threshold is told once and in its turn',
  fc.property(fc.array(fc.nat(30 * usd), { maxLength: 20 }), (steps) => {
    let spent = 0;
    let watched = watchBudget({ month: 7, percents: [] }, budget, 7, 0);
    const told: number[] = [];
    for (const step of steps) {
      spent += step;
      watched = watchBudget(watched.reached, budget, 7, spent);
      told.push(...watched.news);
    }
    const due = [50, 75, 80, 100].filter((percent) => spent >= percent * usd);
    assert.deepEqual(told, due);
  }),
);

it('a new month and a lower limit tell again, a higher one does not', () => {
  const { reached, news } = watchBudget({ month: 7, percents: [] }, budget, 7, 60 * usd);
  assert.deepEqual(news, [50]);
  assert.deepEqual(watchBudget(reached, budget, 8, 60 * usd).news, [50]);
  const lower = monthBudget(70, 75, 'warn');
  assert.deepEqual(watchBudget(reached, lower, 7, 60 * usd).news, [75, 80]);
  const higher = watchBudget(reached, monthBudget(200, 75, 'warn'), 7, 60 * usd);
  assert.deepEqual([higher.news, higher.reached.percents], [[], []]);
});

it('a month begins on the 1st at midnight UTC', () => {
  const turn = Date.UTC(2026, 11, 1);
  assert.equal(monthText(monthOf(turn - 1)), '2026-11');
  assert.equal(monthText(monthOf(turn)), '2026-12');
  assert.equal(monthMs(monthOf(turn)), turn);
  assert.equal(monthText(monthOf(Date.UTC(2027, 0, 1))), '2027-01');
  const clock = new MonthClock();
  const months = [turn - 1, turn, turn - 1].map((at) => monthText(clock.at(at)));
  assert.deepEqual(months, ['2026-11', '2026-12', '2026-11']);
});

holds(
  'the clock that remembers its month answers as the calendar',
  fc.property(fc.array(fc.nat(4e12), { maxLength: 10 }), (moments) => {
    const clock = new MonthClock();
    for (const at of moments) assert.equal(clock.at(at), monthOf(at));
  }),
);
