// Goal: the connection comes back by itself, in the promised rhythm, and never holds two sockets.
// Method: told stories with a virtual clock, then every short sequence of events against I1 to I3.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Connection,
  type ConnectionEffect,
  type ConnectionEvent,
  idle,
  isPolling,
  nextDeadline,
  stepConnection,
} from './connection.ts';

type Type = ConnectionEvent['type'];

function play(types: readonly (readonly [number, Type])[], from: Connection = idle) {
  let connection = from;
  const effects: (readonly [number, ConnectionEffect])[] = [];
  for (const [at, type] of types) {
    const step = stepConnection(connection, { type }, at);
    connection = step.next;
    for (const effect of step.effects) effects.push([at, effect]);
  }
  return { connection, effects };
}

/** Ticks at each deadline and loses each socket at once, until the time given. */
function refuseUntil(endMs: number) {
  let { next: connection, effects } = stepConnection(idle, { type: 'Started' }, 0);
  const seen: (readonly [number, ConnectionEffect])[] = effects.map((effect) => [0, effect]);
  let now = 0;
  while (true) {
    if (connection.kind === 'connecting') {
      ({ next: connection, effects } = stepConnection(connection, { type: 'SocketLost' }, now));
    } else {
      const deadline = nextDeadline(connection);
      if (deadline === undefined || deadline > endMs) return { connection, seen };
      now = deadline;
      ({ next: connection, effects } = stepConnection(connection, { type: 'Ticked' }, now));
    }
    for (const effect of effects) seen.push([now, effect]);
  }
}

const timesOf = (
  seen: readonly (readonly [number, ConnectionEffect])[],
  effect: ConnectionEffect,
) => seen.filter(([, name]) => name === effect).map(([at]) => at / 1000);

test('a refused connection is tried again after 3, 6, 12, 24, 48, 60 and 60 s', () => {
  const { seen } = refuseUntil(220_000);
  assert.deepEqual(timesOf(seen, 'openSocket'), [0, 3, 9, 21, 45, 93, 153, 213]);
});

test('after three failures snapshots are polled every 5 s, not before', () => {
  const { seen, connection } = refuseUntil(30_000);
  assert.deepEqual(timesOf(seen, 'refetch'), [14, 19, 24, 29]);
  assert.equal(isPolling(connection), true);
});

test('opening a socket refetches what may have been missed and forgets the failures', () => {
  const { connection, effects } = play([
    [0, 'Started'],
    [10, 'SocketLost'],
    [3010, 'Ticked'],
    [3020, 'SocketOpened'],
    [9000, 'SocketLost'],
  ]);
  assert.deepEqual(timesOf(effects, 'refetch'), [3.02]);
  assert.equal(connection.kind === 'waiting' && connection.failures, 1);
});

test('an open socket that falls silent for 5 s is closed and replaced', () => {
  const { connection, effects } = play([
    [0, 'Started'],
    [10, 'SocketOpened'],
    [1000, 'MessageHeard'],
    [5999, 'Ticked'],
    [6000, 'Ticked'],
  ]);
  assert.deepEqual(timesOf(effects, 'closeSocket'), [6]);
  assert.deepEqual(nextDeadline(connection), 9000);
});

test('a connect that hangs is given up after 10 s', () => {
  const { connection } = play([
    [0, 'Started'],
    [9999, 'Ticked'],
    [10_000, 'Ticked'],
  ]);
  assert.equal(connection.kind, 'waiting');
});

test('a page that is shown again does not wait out the back-off', () => {
  const { connection } = play([
    [0, 'Started'],
    [10, 'SocketLost'],
    [20, 'Started'],
  ]);
  assert.equal(connection.kind, 'connecting');
});

test('I1, I2, I3 hold for every sequence of six events', () => {
  const types: readonly Type[] = [
    'Started',
    'SocketOpened',
    'MessageHeard',
    'SocketLost',
    'Stopped',
    'Ticked',
  ];
  let visited = 0;
  const walk = (connection: Connection, sockets: number, now: number, depth: number): void => {
    visited += 1;
    if (depth === 0) return;
    for (const type of types) {
      // A socket can only be lost or opened where there is one.
      if ((type === 'SocketLost' || type === 'SocketOpened') && sockets === 0) continue;
      const at = Math.max(now + 1, type === 'Ticked' ? (nextDeadline(connection) ?? now) : now);
      const { next, effects } = stepConnection(connection, { type }, at);
      let count = sockets - (type === 'SocketLost' ? 1 : 0);
      for (const effect of effects) {
        if (effect === 'openSocket') count += 1;
        if (effect === 'closeSocket') count -= 1;
      }
      assert.ok(count === 0 || count === 1, `I1: ${count} sockets after ${type}`);
      assert.equal(count === 1, next.kind === 'connecting' || next.kind === 'live', 'I1');
      if (connection.kind !== 'live' && next.kind === 'live')
        assert.ok(effects.includes('refetch'));
      if (isPolling(next) && next.kind === 'waiting') assert.ok(next.pollAt <= at + 5000, 'I2');
      walk(next, count, at, depth - 1);
    }
  };
  walk(idle, 0, 0, 6);
  assert.ok(visited > 5000);
});
