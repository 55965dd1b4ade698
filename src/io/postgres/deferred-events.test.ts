import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventToAppend } from './control-events.ts';
import { DeferredEvents } from './deferred-events.ts';

const event = (subject: string): EventToAppend => ({
  stream: 'backends',
  kind: 'backend_status_changed',
  version: 1,
  occurredAt: 0 as EventToAppend['occurredAt'],
  actor: 'system',
  subject,
  data: {},
});

function queue(waitingMax: number) {
  const written: string[][] = [];
  const failures: unknown[] = [];
  const lost: number[] = [];
  const database = { isAway: false };
  const events = new DeferredEvents({
    append: async (some) => {
      if (database.isAway) throw new Error('away');
      written.push(some.map(({ subject }) => subject));
    },
    waitingMax,
    onFailed: (error) => failures.push(error),
    onLost: (count) => lost.push(count),
  });
  return { events, written, failures, lost, database };
}

test('what waits is written together, in its order and once', async () => {
  const { events, written } = queue(10);
  for (const name of ['a', 'b', 'c']) events.add(event(name));
  await Promise.all([events.write(), events.write()]);
  events.add(event('d'));
  await events.write();
  assert.deepEqual(written, [['a', 'b', 'c'], ['d']]);
  assert.equal(events.waiting, 0);
});

test('what fails waits before what came later, and a row of failures is told once', async () => {
  const { events, written, failures, database } = queue(10);
  database.isAway = true;
  events.add(event('a'));
  await events.write();
  events.add(event('b'));
  await events.write();
  assert.equal(failures.length, 1);
  database.isAway = false;
  await events.write();
  assert.deepEqual(written, [['a', 'b']]);
  database.isAway = true;
  events.add(event('c'));
  await events.write();
  assert.equal(failures.length, 2, 'a new row of failures');
});

test('the oldest are let go when too many wait, and how many is told', async () => {
  const { events, written, lost, database } = queue(2);
  database.isAway = true;
  for (const name of ['a', 'b', 'c']) events.add(event(name));
  const writing = events.write();
  events.add(event('d'));
  await writing;
  database.isAway = false;
  await events.write();
  assert.deepEqual(written, [['c', 'd']]);
  assert.equal(
    lost.reduce((sum, count) => sum + count, 0),
    2,
  );
});
