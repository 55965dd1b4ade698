// Goal: each operation of the counter is one step and answers as A.2 says. Method: rows; then many
// interleaved promises, of which none may get lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtomicCounter, advanceEpoch } from './atomic-counter.ts';

test('increment and decrement return the new value, also below 0', () => {
  const counter = new AtomicCounter();
  assert.equal(counter.get(), 0);
  assert.equal(counter.increment(), 1);
  assert.equal(counter.decrement(), 0);
  assert.equal(counter.decrement(), -1);
  assert.equal(counter.get(), -1);
  assert.equal(new AtomicCounter(41).increment(), 42);
});

test('the threshold is compared with the value after adding, and equality crosses', () => {
  const rows = [
    [5, 4, 10, false],
    [5, 5, 10, true],
    [5, 6, 10, true],
    [10, -1, 10, false],
    [12, -2, 10, true],
  ] as const;
  for (const [start, delta, threshold, crossed] of rows) {
    const counter = new AtomicCounter(start);
    assert.equal(counter.addAndCheck(delta, threshold), crossed, `${start} + ${delta}`);
    assert.equal(counter.get(), start + delta);
  }
});

test('compare and swap returns the value observed before it', () => {
  const counter = new AtomicCounter(5);
  assert.equal(counter.compareAndSwap(5, 8), 5, 'succeeded: the result is what was expected');
  assert.equal(counter.get(), 8);
  assert.equal(counter.compareAndSwap(5, 9), 8, 'failed: the result is what was there');
  assert.equal(counter.get(), 8);
  assert.equal(counter.compareAndSwap(7, 8), 8, 'failed, although it already was the next value');
});

test('an epoch is advanced n times; 0 or fewer change nothing', () => {
  const counter = new AtomicCounter(10);
  assert.equal(advanceEpoch(counter, 3), 13);
  assert.equal(advanceEpoch(counter, 0), 13);
  assert.equal(advanceEpoch(counter, -4), 13);
  assert.equal(counter.get(), 13);
});

test('what is no safe integer is a bug, and the value stays', () => {
  const counter = new AtomicCounter(Number.MAX_SAFE_INTEGER);
  assert.throws(() => counter.increment(), { name: 'AssertionFailed' });
  assert.throws(() => counter.add(Number.NaN), { name: 'AssertionFailed' });
  assert.throws(() => counter.compareAndSwap(counter.get(), 0.5), { name: 'AssertionFailed' });
  assert.throws(() => new AtomicCounter(0.5), { name: 'AssertionFailed' });
  assert.equal(counter.get(), Number.MAX_SAFE_INTEGER);
});

test('interleaved tasks lose no step: one crosses the threshold, one wins the swap', async () => {
  const counter = new AtomicCounter();
  const crossings: number[] = [];
  const winners: number[] = [];
  const tasks = Array.from({ length: 100 }, async (_, task) => {
    await Promise.resolve();
    const before = counter.get();
    if (counter.addAndCheck(1, 100) && before < 100) crossings.push(task);
    await Promise.resolve();
    if (counter.compareAndSwap(100, 1000) === 100) winners.push(task);
  });
  await Promise.all(tasks);
  assert.equal(counter.get(), 1000);
  assert.equal(crossings.length, 1);
  assert.equal(winners.length, 1);
});
