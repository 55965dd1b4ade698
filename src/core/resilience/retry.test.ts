// Goal: delays grow by powers of two, stop where they must, and never overflow. Method: tables with the
// values of A.15, and a property over bases, attempts and ceilings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { backoff, retryDelay, retryDelayWithJitter } from './retry.ts';

const largest = Number.MAX_SAFE_INTEGER;

test('a retry waits base x 2^attempt, held at the largest safe integer', () => {
  const cases: readonly [number, number, number][] = [
    [250, 4, 4000],
    [250, 0, 250],
    [1, 52, 2 ** 52],
    [1, 53, largest],
    [1, 63, largest],
    [1, 64, largest],
    [1, 5000, largest],
    [0, 5000, 0],
    [0, 3, 0],
    [2 ** 40, 5, 2 ** 45],
  ];
  for (const [base, attempt, delay] of cases) {
    assert.equal(retryDelay(base, attempt), delay, `${base} at ${attempt}`);
  }
});

test('jitter adds the truncated share of the delay and is the same each time', () => {
  const cases: readonly [number, number, number, number][] = [
    [250, 3, 0.25, 2500],
    [250, 3, 0, 2000],
    [5, 0, 0.5, 7],
    [5, 0, 0.99, 9],
    [1, 80, 1, largest],
  ];
  for (const [base, attempt, factor, delay] of cases) {
    assert.equal(retryDelayWithJitter(base, attempt, factor), delay, `${base} at ${attempt}`);
  }
});

test('a backoff stops at its ceiling, also where the power has long overflowed', () => {
  const cases: readonly [number, number, number, number][] = [
    [250, 6, 9000, 9000],
    [250, 5, 9000, 8000],
    [250, 63, 9000, 9000],
    [250, 64, 9000, 9000],
    [250, 1_000_000, 9000, 9000],
    [250, 0, 100, 100],
    [0, 64, 9000, 0],
  ];
  for (const [base, attempt, ceiling, delay] of cases) {
    assert.equal(backoff(base, attempt, ceiling), delay, `${base} at ${attempt}`);
  }
});

holds(
  'delays are safe integers that never shrink with the attempt',
  fc.property(fc.nat(100_000), fc.nat(2000), fc.nat(100_000), (base, attempt, ceiling) => {
    for (const delay of [retryDelay, (b: number, a: number) => backoff(b, a, ceiling)]) {
      assert.ok(Number.isSafeInteger(delay(base, attempt)));
      assert.ok(delay(base, attempt) <= delay(base, attempt + 1));
    }
  }),
);
