// Goal: burn rates, firing pairs and the budget are those of the workbook's formula, and low traffic
// has none. Method: minutes filled by hand, with figures that follow from the definitions.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { budgetLeft, burnMinutes, burnOf, burnPoints, minuteOf, readBurn } from './burn-rate.ts';
import { OutcomeCounts } from './outcome-counts.ts';

const slo = { objective: 0.99, minRequests: 50, minBad: 10 };
const start = 1_700_000_040_000; // A whole minute.

/** `count` minutes of `total` requests each, `bad` of them bad, from `from` minutes after start. */
function fill(counts: OutcomeCounts, from: number, count: number, total: number, bad: number) {
  for (let minute = 0; minute < count; minute++) {
    counts.add(minuteOf(start) + from + minute, { total, bad });
  }
}

function firingAt(counts: OutcomeCounts, minutes: number): readonly string[] {
  return readBurn(counts, start + minutes * 60_000, slo)
    .filter(({ firing }) => firing)
    .map(({ name }) => name);
}

describe('policy', () => {
  test('a share of exactly 14.4 times the allowed one burns 14.4, and 1 spends the budget', () => {
    assert.equal(burnOf({ total: 1000, bad: 144 }, slo), 14.4);
    assert.equal(burnOf({ total: 1000, bad: 10 }, slo), 1);
    assert.equal(burnOf({ total: 1000, bad: 0 }, slo), 0);
    assert.equal(burnOf({ total: 100_000, bad: 1 }, { ...slo, objective: 0.99999 }), 1);
  });

  test('a window below the least number of requests has no rate', () => {
    assert.equal(burnOf({ total: 49, bad: 49 }, slo), null);
    assert.equal(burnOf({ total: 50, bad: 50 }, slo), 100);
    assert.equal(burnOf({ total: 0, bad: 0 }, { ...slo, minRequests: 0 }), null);
  });

  test('a pair fires when both of its windows burn at the factor, and not before', () => {
    const counts = new OutcomeCounts(burnMinutes);
    fill(counts, 0, 360, 100, 0);
    fill(counts, 360, 10, 100, 100);
    // Ten minutes of outage: 1000 of 6100 requests of the hour, 16.4x; 1000 of 36100, 2.8x, of six.
    assert.deepEqual(firingAt(counts, 369), ['fast', 'ticket']);
    fill(counts, 370, 12, 100, 100);
    assert.deepEqual(firingAt(counts, 381), ['fast', 'slow', 'ticket']);
    fill(counts, 382, 7, 100, 0);
    // The short window of the fast pair has seen the end of it; the long one has not.
    const fast = readBurn(counts, start + 388 * 60_000, slo)[0];
    assert.equal(fast?.shortBurn, 0);
    assert.ok((fast?.longBurn ?? 0) > 14.4);
    assert.deepEqual(firingAt(counts, 388), ['slow', 'ticket']);
  });

  test('a high rate of few bad requests does not fire', () => {
    const counts = new OutcomeCounts(burnMinutes);
    fill(counts, 0, 6, 10, 1);
    const [fast] = readBurn(counts, start + 5 * 60_000, slo);
    assert.deepEqual([fast?.longBurn, fast?.shortBurn, fast?.firing], [10, 10, false]);
    const lax = readBurn(counts, start + 5 * 60_000, { ...slo, minBad: 6 });
    assert.deepEqual(
      lax.map(({ firing }) => firing),
      [false, true, true],
    );
  });

  test('the budget left is 1 less what was spent, within 0 and 1', () => {
    assert.equal(budgetLeft({ total: 0, bad: 0 }, 0.99), null);
    assert.equal(budgetLeft({ total: 1000, bad: 0 }, 0.99), 1);
    assert.equal(budgetLeft({ total: 1000, bad: 5 }, 0.99), 0.5);
    assert.equal(budgetLeft({ total: 1000, bad: 500 }, 0.99), 0);
  });

  test('the points of a chart are whole windows that end at their minute', () => {
    const counts = new OutcomeCounts(burnMinutes);
    fill(counts, 0, 5, 100, 0);
    fill(counts, 5, 5, 100, 10);
    const points = burnPoints(counts, start + 10 * 60_000 + 30_000, 6, slo);
    assert.deepEqual(
      points.map(({ atMs, fiveMinutes }) => [(atMs - start) / 60_000, fiveMinutes]),
      [
        [5, 0],
        [6, 2],
        [7, 4],
        [8, 6],
        [9, 8],
        [10, 10],
      ],
    );
    assert.equal(points.at(-1)?.hour, 5);
  });
});
