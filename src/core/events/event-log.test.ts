// Goal: the log holds the newest events and forgets the oldest. Method: rows of A.3; then random
// appending against the end of a plain list.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { EventLog } from './event-log.ts';
import { event, eventsAt, history } from './events.test-support.ts';

test('beyond the cap the oldest falls out, and the latest is the one appended last', () => {
  const log = new EventLog(2);
  assert.equal(log.latest(), undefined);
  for (const one of eventsAt(30, 10, 20)) log.append(one);
  assert.deepEqual(
    log.getAll().map(({ timestamp }) => timestamp),
    [10, 20],
  );
  assert.equal(log.count, 2);
  assert.equal(log.latest()?.timestamp, 20);
});

test('a cleared log is empty and goes on', () => {
  const log = new EventLog(2);
  log.append(event(1));
  log.clear();
  assert.deepEqual([log.count, log.getAll(), log.latest()], [0, [], undefined]);
  log.append(event(2));
  assert.equal(log.latest()?.timestamp, 2);
});

test('a cap of 0 keeps nothing', () => {
  const log = new EventLog(0);
  log.append(event(1));
  assert.deepEqual([log.count, log.getAll(), log.latest()], [0, [], undefined]);
  log.clear();
});

test('a cap that is no count is a bug', () => {
  for (const cap of [-1, 1.5, Number.NaN]) {
    assert.throws(() => new EventLog(cap), { name: 'AssertionFailed' });
  }
});

test('whoever gave or got an event cannot change the log', () => {
  const log = new EventLog(2);
  const given = { ...event(1, 'a') };
  log.append(given);
  given.kind = 'forged';
  const got = log.getAll();
  assert.ok(got.every(Object.isFrozen));
  Reflect.apply(Array.prototype.pop, got, []);
  assert.equal(log.count, 1);
  assert.equal(log.latest()?.kind, 'admitted');
});

holds(
  'the log is the end of what was appended',
  fc.property(history, fc.nat(6), (events, cap) => {
    const log = new EventLog(cap);
    for (const one of events) log.append(one);
    const end = cap === 0 ? [] : events.slice(-cap);
    assert.deepEqual(log.getAll(), end);
    assert.deepEqual(log.latest(), end.at(-1));
    assert.equal(log.count, end.length);
  }),
);
