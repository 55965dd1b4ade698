// Goal: each small rule of A.10 at and beside its edges. Method: tables, with the values of A.15.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bulkheadHasPermit,
  cascadeRisk,
  failureWindowExpired,
  fallbackOrder,
  halfOpenProbes,
  recoveryRate,
  shouldTrip,
  stateDuration,
} from './failure-rules.ts';

test('a breaker trips at its threshold, equality included, and never without calls', () => {
  const cases: readonly [number, number, number, boolean][] = [
    [8, 10, 0.8, true],
    [7, 10, 0.8, false],
    [0, 0, 0, false],
    [5, 0, 0.5, false],
    [0, 10, 0, true],
    [Number.NaN, 10, 0, false],
    [1, Number.NaN, 0, false],
    [1, 1, Number.NaN, false],
  ];
  for (const [errors, total, threshold, trips] of cases) {
    assert.equal(shouldTrip(errors, total, threshold), trips, `${errors} of ${total}`);
  }
});

test('half-open lets through its base, not one more', () => {
  for (const base of [0, 1, 3]) assert.equal(halfOpenProbes(base), base);
});

test('a failure window has expired strictly after its length', () => {
  const cases: readonly [number, number, number, boolean][] = [
    [100, 160, 60, false],
    [100, 161, 60, true],
    [100, 100, 0, false],
    [200, 100, 0, false],
    [Number.NaN, 100, 0, false],
    [0, 2 ** 40, 2 ** 33, true],
  ];
  for (const [last, now, window, expired] of cases) {
    assert.equal(failureWindowExpired(last, now, window), expired, `${last} to ${now}`);
  }
});

test('the recovery rate is the share of successes, 0 without outcomes', () => {
  assert.equal(recoveryRate(45, 5), 0.9);
  assert.equal(recoveryRate(0, 0), 0);
  assert.equal(recoveryRate(0, 5), 0);
  assert.equal(recoveryRate(5, 0), 1);
});

test('a bulkhead has a permit only below its maximum', () => {
  assert.equal(bulkheadHasPermit(9, 10), true);
  assert.equal(bulkheadHasPermit(10, 10), false);
  assert.equal(bulkheadHasPermit(11, 10), false);
  assert.equal(bulkheadHasPermit(0, 0), false);
  assert.equal(bulkheadHasPermit(Number.NaN, 10), false);
});

test('a state has lasted now - entered, undivided, and never less than 0', () => {
  assert.equal(stateDuration(1000, 61_000), 60_000);
  assert.equal(stateDuration(5, 5), 0);
  assert.equal(stateDuration(10, 5), 0);
});

test('fallbacks come by reliability descending, ties by name, without those of no rank', () => {
  const candidates = [
    { name: 'c', reliability: 0.5 },
    { name: 'b', reliability: 0.9 },
    { name: 'nan', reliability: Number.NaN },
    { name: 'a', reliability: 0.5 },
    { name: 'B', reliability: 0.5 },
  ];
  assert.deepEqual(fallbackOrder(candidates), ['b', 'B', 'a', 'c']);
  assert.deepEqual(fallbackOrder(candidates.toReversed()), ['b', 'B', 'a', 'c']);
  assert.deepEqual(fallbackOrder([]), []);
});

test('one unhealthy dependency is a risk, none is not', () => {
  assert.equal(cascadeRisk([]), false);
  assert.equal(cascadeRisk([true, true]), false);
  assert.equal(cascadeRisk([true, false, true]), true);
});
