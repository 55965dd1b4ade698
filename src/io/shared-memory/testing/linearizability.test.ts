// Goal: the checker accepts what could have happened in some order and refuses what could not.
// Method: small histories drawn by hand; time runs to the right, `1-4` is invoked at 1 and returns
// at 4.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketModel } from './bucket-model.ts';
import { type History, historyWords, isLinearizable, type Operation } from './linearizability.ts';
import { type QueueAnswer, type QueueCall, queueModel } from './queue-model.ts';

const low = { id: 1, priority: 1 };
const alsoLow = { id: 2, priority: 1 };
const high = { id: 9, priority: 5 };
type QueueOperation = Operation<QueueCall, QueueAnswer>;

function enqueue(invoked: number, at: number, item: typeof low, answer = true): QueueOperation {
  return { call: { kind: 'enqueue', item }, invoked, returned: { at, answer } };
}

function get(
  kind: 'dequeue' | 'peek' | 'size' | 'drain' | 'clear',
  invoked: number,
  at: number,
  answer: QueueAnswer,
): QueueOperation {
  return { call: { kind }, invoked, returned: { at, answer } };
}

type Case = readonly [words: string, expected: boolean, history: History<QueueCall, QueueAnswer>];

const cases: readonly Case[] = [
  ['nothing at all', true, []],
  [
    'one after the other',
    true,
    [[enqueue(1, 2, low), enqueue(3, 4, high), get('dequeue', 5, 6, high), get('size', 7, 8, 1)]],
  ],
  [
    'the lower one first, one after the other',
    false,
    [[enqueue(1, 2, low), enqueue(3, 4, high), get('dequeue', 5, 6, low)]],
  ],
  [
    'the later of two equals first',
    false,
    [[enqueue(1, 2, low), enqueue(3, 4, alsoLow), get('dequeue', 5, 6, alsoLow)]],
  ],
  [
    'the later of two equals first, when they came at the same time',
    true,
    [[enqueue(1, 4, low)], [enqueue(2, 3, alsoLow)], [get('dequeue', 5, 6, alsoLow)]],
  ],
  [
    'empty, before an item that is on its way',
    true,
    [[enqueue(1, 4, low)], [get('dequeue', 2, 3, undefined)]],
  ],
  [
    'empty, although an item had come',
    false,
    [[enqueue(1, 2, low)], [get('dequeue', 3, 4, undefined)]],
  ],
  [
    'the trap: a dequeue that saw no high item returns a low one that came after a high one',
    false,
    [[enqueue(2, 3, high), enqueue(4, 5, low)], [get('dequeue', 1, 6, low)]],
  ],
  [
    'the same with the low item first',
    true,
    [[enqueue(2, 3, low), enqueue(4, 5, high)], [get('dequeue', 1, 6, low)]],
  ],
  [
    'one item twice',
    false,
    [[enqueue(1, 2, low), get('dequeue', 3, 6, low)], [get('dequeue', 4, 5, low)]],
  ],
  [
    'an item in a dequeue and in a drain',
    false,
    [[enqueue(1, 2, low), get('dequeue', 3, 6, low)], [get('drain', 4, 5, [low])]],
  ],
  [
    'a drain that has what came after it had begun',
    true,
    [[enqueue(2, 3, low)], [get('drain', 1, 4, [low])]],
  ],
  [
    'a drain that forgets what had come',
    false,
    [[enqueue(1, 2, low), enqueue(3, 4, high)], [get('drain', 5, 6, [low])]],
  ],
  [
    'full, although one place was free all the time',
    false,
    [[enqueue(1, 2, low)], [enqueue(3, 4, high, false)], [get('clear', 5, 6, undefined)]],
  ],
  [
    'full, while the second item was on its way',
    true,
    [[enqueue(1, 2, low), enqueue(3, 6, alsoLow)], [enqueue(4, 5, high, false)]],
  ],
  [
    'two that each saw only the other',
    false,
    [
      [enqueue(1, 2, low), get('size', 5, 6, 1)],
      [enqueue(3, 4, high), get('size', 7, 8, 1)],
    ],
  ],
  [
    'what never returned may have happened',
    true,
    [
      [{ call: { kind: 'enqueue', item: high }, invoked: 1 }],
      [get('size', 2, 3, 0), get('peek', 4, 5, high)],
    ],
  ],
  [
    'what never returned does not happen twice',
    false,
    [
      [{ call: { kind: 'enqueue', item: high }, invoked: 1 }],
      [get('dequeue', 2, 3, high), get('size', 4, 5, 1)],
    ],
  ],
];

test('histories of a queue for two items', () => {
  for (const [words, expected, history] of cases) {
    assert.equal(isLinearizable(queueModel(2), history), expected, words);
  }
});

test('histories of a bucket for two tokens', () => {
  const acquire = (invoked: number, at: number, now: number, answer: boolean) =>
    ({
      call: { kind: 'acquire', count: 1, now },
      invoked,
      returned: { at, answer },
    }) as const;
  const model = bucketModel(2, 0.5);
  const three = [[acquire(1, 2, 0, true), acquire(3, 4, 0, true), acquire(5, 6, 0, true)]];
  assert.equal(isLinearizable(model, three), false, 'three tokens of two');
  const refilled = [[acquire(1, 2, 0, true), acquire(3, 4, 0, true), acquire(5, 6, 2, true)]];
  assert.equal(isLinearizable(model, refilled), true, 'the third after it dripped in');
  const back = [[...(refilled[0] ?? []), acquire(7, 8, 1, false)]];
  assert.equal(isLinearizable(model, back), true, 'a clock that goes back brings nothing');
  const early = [[acquire(1, 6, 2, true)], [acquire(2, 3, 0, true), acquire(4, 5, 0, true)]];
  assert.equal(isLinearizable(model, early), true, 'refilled before or after, the full one');
});

test('a long history without overlap is decided in one pass, a wrong end included', () => {
  const operations: QueueOperation[] = [];
  for (let at = 0; at < 4000; at += 4) {
    const item = { id: at, priority: 1 + (at % 5) };
    operations.push(enqueue(at, at + 1, item), get('dequeue', at + 2, at + 3, item));
  }
  assert.equal(isLinearizable(queueModel(1), [operations]), true);
  const wrong = [...operations, get('size', 5000, 5001, 1)];
  assert.equal(isLinearizable(queueModel(1), [wrong]), false);
});

test('a failed history is told in the order of its events', () => {
  assert.equal(
    historyWords([[enqueue(1, 4, low)], [get('size', 2, 3, 0)]]),
    [
      '1 thread 0 calls {"kind":"enqueue","item":{"id":1,"priority":1}}',
      '2 thread 1 calls {"kind":"size"}',
      '3 thread 1 gets 0',
      '4 thread 0 gets true',
    ].join('\n'),
  );
});
