// Goal: requests in flight of a scope never pass its limit on any thread, and what a dead thread held
// is free again. Method: the real table, opened as two threads and their owner.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LimitTable } from './limit-table.ts';
import { minuteUnits } from './rate-meter.ts';

function table() {
  const parts = LimitTable.create(2, 8);
  const open = (thread?: number) => new LimitTable(parts, thread);
  return { owner: open(), first: open(0), second: open(1) };
}

test('as many enter as the limit says, whichever thread they are on', () => {
  const { first, second, owner } = table();
  const [one, other] = [first.slot(3), second.slot(3)];
  assert.deepEqual([one.enter(2), other.enter(2), one.enter(2)], [true, true, false]);
  assert.equal(owner.slot(3).inFlight, 2);
  other.leave();
  assert.ok(one.enter(2));
  assert.ok(one.enter(), 'without a limit everybody enters');
});

test('slots do not touch each other', () => {
  const { first } = table();
  const [one, next] = [first.slot(4), first.slot(5)];
  one.enter();
  one.requests.take(minuteUnits, 0);
  one.tokens.take(minuteUnits, 0);
  one.spend.reserve(600, 7, undefined);
  assert.equal(next.inFlight, 0);
  assert.deepEqual([next.requests.used(0), next.tokens.used(0), next.spend.spent(600)], [0, 0, 0]);
  assert.deepEqual([one.requests.used(0), one.inFlight], [minuteUnits, 1]);
});

test('what a dead thread had in flight and booked is free again, once', () => {
  const { first, second, owner } = table();
  for (const slot of [first.slot(1), first.slot(1), second.slot(1)]) {
    slot.enter();
    slot.spend.reserve(600, 10, undefined);
  }
  owner.slot(1).reclaim(0);
  assert.deepEqual([owner.slot(1).inFlight, owner.slot(1).spend.spent(600)], [1, 10]);
  owner.slot(1).reclaim(0);
  assert.deepEqual([owner.slot(1).inFlight, owner.slot(1).spend.spent(600)], [1, 10]);
});
