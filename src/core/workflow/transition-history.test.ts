// Goal: the questions to a history, each row of A.14 with its edges. Method: one small history of
// several entities whose answers were worked out by hand, and oracles over random ones.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import {
  chainLength,
  compactHistory,
  type History,
  mergeHistories,
  timeInState,
  transitionCount,
} from './transition-history.ts';
import type { TransitionRecord } from './transition-record.ts';

function record(entityId: string, from: string, to: string, timestamp: number): TransitionRecord {
  return { entityId, from, to, timestamp };
}

const history: History = [
  record('b', 'queued', 'placed', 100),
  record('a', 'queued', 'placed', 110),
  record('a', 'placed', 'running', 150),
  record('b', 'placed', 'running', 190),
  record('a', 'running', 'completed', 400),
  record('c', 'queued', 'cancelled', 400),
];

const anyHistory: fc.Arbitrary<History> = fc.array(
  fc.record({
    entityId: fc.constantFrom('a', 'b', 'c'),
    from: fc.constantFrom('queued', 'placed', 'running'),
    to: fc.constantFrom('placed', 'running', 'completed'),
    timestamp: fc.integer({ min: 0, max: 6 }),
  }),
  { maxLength: 12 },
);

describe('workflow', () => {
  test('count and chain length are the number of records of an entity', () => {
    for (const count of [transitionCount, chainLength]) {
      assert.deepEqual(
        ['a', 'b', 'c', 'd', ''].map((id) => count(history, id)),
        [3, 2, 1, 0, 0],
      );
      assert.equal(count([], 'a'), 0);
    }
  });

  test('time in a state is that of the first to enter, until the same entity left', () => {
    assert.equal(timeInState(history, 'placed'), 90);
    assert.equal(timeInState(history, 'running'), 250);
    // Nobody enters queued by a record, nobody leaves completed, and b never leaves running.
    assert.equal(timeInState(history, 'queued'), undefined);
    assert.equal(timeInState(history, 'completed'), undefined);
    assert.equal(timeInState(history, 'gone'), undefined);
    assert.equal(timeInState([], 'placed'), undefined);
    assert.equal(
      timeInState(
        history.filter(({ entityId }) => entityId === 'b'),
        'running',
      ),
      undefined,
    );
  });

  test('another entity that leaves, or an earlier record, ends no stay', () => {
    const odd = [
      record('a', 'placed', 'running', 5),
      record('a', 'queued', 'placed', 10),
      record('b', 'placed', 'running', 20),
      record('a', 'placed', 'running', 45),
      record('a', 'placed', 'cancelled', 60),
    ];
    assert.equal(timeInState(odd, 'placed'), 35);
    assert.equal(timeInState(odd.slice(0, 3), 'placed'), undefined);
  });

  test('a stay is never negative, even where the clock was set back', () => {
    const back = [record('a', 'queued', 'placed', 10), record('a', 'placed', 'running', 4)];
    assert.equal(timeInState(back, 'placed'), 0);
  });

  test('merging orders by time and keeps the first history first among equals', () => {
    const one = [record('z', 'queued', 'placed', 5), record('z', 'placed', 'running', 9)];
    const two = [record('a', 'queued', 'placed', 5), record('a', 'placed', 'cancelled', 1)];
    const merged = mergeHistories(one, two).map(({ entityId, timestamp }) => [entityId, timestamp]);
    assert.deepEqual(merged, [
      ['a', 1],
      ['z', 5],
      ['a', 5],
      ['z', 9],
    ]);
    assert.deepEqual(mergeHistories([], []), []);
    assert.deepEqual(
      one.map(({ timestamp }) => timestamp),
      [5, 9],
    );
  });

  test('compacting keeps the last record of each entity, later position on equal times', () => {
    const mixed = [
      record('b', 'queued', 'placed', 30),
      record('a', 'placed', 'running', 20),
      record('a', 'queued', 'placed', 10),
      record('a', 'running', 'completed', 20),
      record('c', 'queued', 'cancelled', 20),
    ];
    assert.deepEqual(compactHistory(mixed), [
      record('a', 'running', 'completed', 20),
      record('c', 'queued', 'cancelled', 20),
      record('b', 'queued', 'placed', 30),
    ]);
    assert.deepEqual(compactHistory([]), []);
    assert.deepEqual(
      compactHistory(mixed.toReversed()).map(({ entityId }) => entityId),
      ['a', 'c', 'b'],
    );
  });

  holds(
    'a merge holds every record once, ascending, and each history in its own order among equals',
    fc.property(anyHistory, anyHistory, (a, b) => {
      const merged = mergeHistories(a, b);
      const places = new Map([...a, ...b].map((one, index) => [one, index]));
      assert.equal(merged.length, places.size);
      for (const [index, one] of merged.entries()) {
        const next = merged[index + 1];
        if (next === undefined) continue;
        const order = one.timestamp - next.timestamp;
        const byPlace = (places.get(one) ?? 0) - (places.get(next) ?? 0);
        assert.ok(order < 0 || (order === 0 && byPlace < 0));
      }
    }),
  );

  holds(
    'compacting holds exactly the greatest record of each entity, and twice is as once',
    fc.property(anyHistory, (records) => {
      const compact = compactHistory(records);
      const ids = new Set(records.map(({ entityId }) => entityId));
      assert.equal(compact.length, ids.size);
      for (const one of compact) {
        const own = records.filter(({ entityId }) => entityId === one.entityId);
        const latest = Math.max(...own.map(({ timestamp }) => timestamp));
        assert.equal(
          own.findLast(({ timestamp }) => timestamp === latest),
          one,
        );
      }
      assert.deepEqual(compactHistory(compact), compact);
    }),
  );
});
