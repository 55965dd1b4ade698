// Goal: the rolling window of A.5: what is active at the edge, the order of what leaves, its cap.
// Method: short stories; against a plain list as a property.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { RollingWindowScheduler } from './rolling-window.ts';

function withEntries(window: number, ...times: readonly number[]): RollingWindowScheduler {
  const scheduler = new RollingWindowScheduler(window);
  for (const [at, time] of times.entries()) assert.ok(scheduler.submit(time, `e${at}`));
  return scheduler;
}

test('an entry exactly at the edge is still active, one older leaves', () => {
  const scheduler = withEntries(60, 39, 40, 41);
  assert.deepEqual(scheduler.flush(100), [{ timestamp: 39, id: 'e0' }]);
  assert.equal(scheduler.count, 2);
  assert.deepEqual(scheduler.flush(100), []);
  assert.equal(scheduler.flush(101.5).length, 2);
  assert.equal(scheduler.count, 0);
});

test('entries leave in the order of submission, whatever their times', () => {
  const scheduler = withEntries(10, 5, 1, 50, 3);
  assert.deepEqual(
    scheduler.flush(40).map(({ id }) => id),
    ['e0', 'e1', 'e3'],
  );
  assert.equal(scheduler.count, 1);
});

test('before a whole window has passed nothing leaves', () => {
  const scheduler = withEntries(60, 0, 5);
  assert.deepEqual(scheduler.flush(59), []);
  assert.deepEqual(scheduler.flush(60), []);
  assert.deepEqual(scheduler.flush(0), []);
  assert.equal(scheduler.count, 2);
});

test('the edge is never before 0', () => {
  const scheduler = withEntries(60, -10, 0);
  assert.deepEqual(scheduler.flush(5), [{ timestamp: -10, id: 'e0' }]);
});

test('a window of 0 keeps what is not older than now', () => {
  const scheduler = withEntries(0, 9, 10, 11);
  assert.deepEqual(
    scheduler.flush(10).map(({ id }) => id),
    ['e0'],
  );
  assert.equal(scheduler.window, 0);
});

test('a clock that goes back takes nothing', () => {
  const scheduler = withEntries(10, 50);
  assert.deepEqual(scheduler.flush(20), []);
  assert.equal(scheduler.flush(61).length, 1);
});

test('one id may be submitted more than once', () => {
  const scheduler = new RollingWindowScheduler(10);
  scheduler.submit(1, 'a');
  scheduler.submit(2, 'a');
  assert.equal(scheduler.count, 2);
});

test('a time that is not finite is refused, and so is a window that is none', () => {
  const scheduler = new RollingWindowScheduler(10);
  assert.ok(!scheduler.submit(Number.NaN, 'a'));
  assert.ok(!scheduler.submit(Number.POSITIVE_INFINITY, 'a'));
  assert.equal(scheduler.count, 0);
  for (const window of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => new RollingWindowScheduler(window), /window of/);
  }
});

test('at the cap a submission is refused until entries have left', () => {
  const scheduler = new RollingWindowScheduler(10);
  for (let at = 0; at < RollingWindowScheduler.entriesMax; at += 1) {
    scheduler.submit(at === 0 ? 1 : 100, 'a');
  }
  assert.ok(!scheduler.submit(100, 'b'));
  assert.equal(scheduler.count, RollingWindowScheduler.entriesMax);
  assert.equal(scheduler.flush(50).length, 1);
  assert.ok(scheduler.submit(100, 'b'));
});

type Step = readonly ['submit' | 'flush', number];

holds(
  'over any submissions and flushes a plain list gives the same answers',
  fc.property(
    fc.nat({ max: 20 }),
    fc.array(fc.tuple(fc.constantFrom('submit' as const, 'flush' as const), fc.nat({ max: 60 }))),
    (window, steps: readonly Step[]) => {
      const scheduler = new RollingWindowScheduler(window);
      const kept: { timestamp: number; id: string }[] = [];
      for (const [at, [step, time]] of steps.entries()) {
        if (step === 'submit') {
          scheduler.submit(time, `e${at}`);
          kept.push({ timestamp: time, id: `e${at}` });
          continue;
        }
        const leaving = kept.filter(({ timestamp }) => timestamp < time - window);
        for (const entry of leaving) kept.splice(kept.indexOf(entry), 1);
        assert.deepEqual(scheduler.flush(time), leaving);
        assert.equal(scheduler.count, kept.length);
      }
    },
  ),
);
