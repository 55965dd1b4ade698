// Goal: a timeline is read oldest first and loses nothing. Method: the rows of A.3 and of incident 005
// (E.5); then random histories for the rules of replay (RD4, RD5).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { event, eventsAt, history, shuffledHistory } from './events.test-support.ts';
import { compareEvents, type TimedEvent } from './timed-event.ts';
import {
  causalOrder,
  correlateTransitions,
  countByKind,
  inTimeWindow,
  sortByTime,
} from './timeline.ts';

const times = (events: readonly TimedEvent[]) => events.map(({ timestamp }) => timestamp);
const ids = (events: readonly TimedEvent[]) => events.map(({ id }) => id).join(' ');

test('events are sorted oldest first, by id at one time, by code unit', () => {
  const mixed = [event(5, 'b'), event(1, 'z'), event(5, 'B'), event(5, 'a')];
  assert.equal(ids(sortByTime(mixed)), 'z B a b');
  assert.equal(ids(causalOrder(mixed)), 'z B a b');
  assert.equal(ids(mixed), 'b z B a', 'the input stays');
  assert.deepEqual(sortByTime([]), []);
});

test('E.5 row 2: the first of 51 events is the oldest and the last the newest', () => {
  const first = 1_711_353_600;
  const given = Array.from({ length: 51 }, (_, i) => event(first + i * 72, `e${i}`)).reverse();
  const sorted = sortByTime(given);
  assert.deepEqual(
    [sorted.length, sorted[0]?.timestamp, sorted.at(-1)?.timestamp],
    [51, first, 1_711_357_200],
  );
});

test('what is equal in time and id keeps its order', () => {
  const twins = [event(1, 'a', { payload: 1 }), event(1, 'a', { payload: 2 })];
  assert.deepEqual(sortByTime(twins), twins);
});

test('E.5 row 4: a window holds both its ends, in input order', () => {
  const given = eventsAt(2001, 2000, 999, 1500, 1000);
  assert.deepEqual(times(inTimeWindow(given, 1000, 2000)), [2000, 1500, 1000]);
  assert.deepEqual(times(inTimeWindow(given, 1500, 1500)), [1500]);
  assert.deepEqual(inTimeWindow(given, 2000, 1000), [], 'start after end');
});

test('E.5 row 6: occurrences are counted per kind, also of one id', () => {
  const given = ['1', '2', '1'].map((id) => event(1, id, { kind: 'inference' }));
  assert.deepEqual([...countByKind(given)], [['inference', 3]]);
  const kinds = ['routed', 'admitted', 'routed', 'Routed'];
  assert.deepEqual(
    [...countByKind(kinds.map((kind, i) => event(i, 'x', { kind })))],
    [
      ['Routed', 1],
      ['admitted', 1],
      ['routed', 2],
    ],
  );
  assert.equal(countByKind([]).size, 0);
});

test('a transition is correlated with what preceded it, and not with what came at its instant', () => {
  const given = eventsAt(101, 100, 90, 80, 79, 0);
  const lists = correlateTransitions([100, 10, 500], given, 20);
  assert.deepEqual(lists.map(times), [[90, 80], [0], []], 'one list for each transition');
  assert.deepEqual(correlateTransitions([], given, 20), []);
  assert.deepEqual(correlateTransitions([100], given, 0).map(times), [[]]);
  const early = [event(-5, 'early'), event(0, 'zero')];
  assert.deepEqual(correlateTransitions([10], early, 20).map(times), [[0]], 'saturates at 0');
});

holds(
  'sorting ascends, loses nothing and does not depend on the order of arrival',
  fc.property(shuffledHistory, ([events, shuffled]) => {
    const sorted = sortByTime(events);
    const faults = sorted.slice(1).filter((next, i) => compareEvents(sorted[i] ?? next, next) > 0);
    assert.deepEqual(faults, []);
    assert.deepEqual(new Set(sorted), new Set(events));
    assert.equal(sorted.length, events.length);
    const keys = (list: readonly TimedEvent[]) => list.map(({ id, timestamp }) => [timestamp, id]);
    assert.deepEqual(keys(sortByTime(shuffled)), keys(sorted));
    assert.deepEqual(causalOrder(events), sorted);
  }),
);

holds(
  'RD4: a timeline in order stays as it is, whatever reads it',
  fc.property(history, fc.nat(12), fc.nat(12), (events, start, end) => {
    const ordered = sortByTime(events);
    assert.deepEqual(sortByTime(ordered), ordered);
    assert.deepEqual(
      inTimeWindow(ordered, start, end),
      sortByTime(inTimeWindow(events, start, end)),
    );
  }),
);

holds(
  'RD5: adjoining windows lose and double no event at their border',
  fc.property(history, fc.nat(13), fc.nat(13), fc.nat(13), (events, x, y, z) => {
    const [a, b, c] = [x, y, z].sort((one, other) => one - other) as [number, number, number];
    const parts = [...inTimeWindow(events, a, b), ...inTimeWindow(events, b + 1, c)];
    assert.deepEqual(sortByTime(parts), sortByTime(inTimeWindow(events, a, c)));
  }),
);
