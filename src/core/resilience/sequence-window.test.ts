// Goal: windows are closed, nothing is lost or doubled at a border, and no order is reversed. Method:
// rows 1 and 5 of thread 005 (E.5), tables for edges, and RD5 over random histories.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { anyOrder, eventsAt, history, sequencesOf, upTo } from './history.test-support.ts';
import type { ReplayEvent } from './replay-event.ts';
import {
  inSequenceWindow,
  orderBySequence,
  orderedSequenceWindow,
  processReplayBatch,
} from './sequence-window.ts';

test('a window of 51 sequences comes ascending, whatever the order in store (E.5 row 1)', () => {
  const stored = anyOrder(eventsAt(...upTo(990, 1060)), 5);
  const expected = upTo(1000, 1050);
  assert.deepEqual(sequencesOf(orderedSequenceWindow(stored, 1000, 1050)), expected);
  assert.equal(expected.length, 51);
});

test('both ends of a window belong to it: 100 to 200 are 101 events (E.5 row 5)', () => {
  const window = inSequenceWindow(eventsAt(...upTo(1, 500)), 100, 200);
  assert.equal(window.length, 101);
  assert.deepEqual([window[0]?.sequence, window.at(-1)?.sequence], [100, 200]);
});

test('a window keeps the input order, the ordered one ascends', () => {
  const stored = eventsAt(5, 3, 9, 4, 1);
  const cases: readonly [string, number, number, readonly number[], readonly number[]][] = [
    ['inside', 3, 5, [5, 3, 4], [3, 4, 5]],
    ['one sequence', 9, 9, [9], [9]],
    ['start after end', 5, 3, [], []],
    ['outside', 10, 20, [], []],
    ['NaN', Number.NaN, 5, [], []],
  ];
  for (const [name, min, max, inInput, ascending] of cases) {
    assert.deepEqual(sequencesOf(inSequenceWindow(stored, min, max)), inInput, name);
    assert.deepEqual(sequencesOf(orderedSequenceWindow(stored, min, max)), ascending, name);
  }
});

test('events order by sequence, ties by id, and a batch is applied in that order', () => {
  const mixed: readonly ReplayEvent[] = [
    { id: 'b', sequence: 2 },
    { id: 'z', sequence: 10 },
    { id: 'a', sequence: 2 },
    { id: 'c', sequence: 1 },
  ];
  const ordered = ['c 1', 'a 2', 'b 2', 'z 10'];
  for (const order of [orderBySequence, processReplayBatch]) {
    for (const input of [mixed, mixed.toReversed(), order(mixed)]) {
      assert.deepEqual(
        order(input).map(({ id, sequence }) => `${id} ${sequence}`),
        ordered,
      );
    }
    assert.deepEqual(order(eventsAt(7)), eventsAt(7), 'a single element stays as it is');
    assert.deepEqual(order([]), [], 'nothing');
  }
});

holds(
  'RD5: adjoining windows lose nothing and double nothing',
  fc.property(
    history,
    fc.integer({ min: -4, max: 14 }),
    fc.integer({ min: -4, max: 14 }),
    (all, b, to) => {
      const [from, last] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
      const [lower, upper] = [Math.min(b, to), Math.max(b, to)];
      const parts = [
        orderedSequenceWindow(all, from, lower),
        orderedSequenceWindow(all, lower + 1, upper),
        orderedSequenceWindow(all, upper + 1, last),
      ];
      assert.deepEqual(parts.flat(), orderBySequence(all));
    },
  ),
);
