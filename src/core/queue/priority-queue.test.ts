// Goal: the queue of A.9 - order, limit, drain, clear, peek - with each edge, for the plain queue and,
// unchanged, for the one that threads share (D.5: its sequential behaviour is the same). Method:
// cases, and random programs against a sorted list as oracle.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { SharedPriorityQueue } from '../../io/shared-memory/shared-priority-queue.ts';
import { createWordBlock, openWords } from '../../io/shared-memory/shared-words.ts';
import { PriorityQueue } from './priority-queue.ts';

type Item = { readonly id: number; readonly priority: number };

/** What both have in common. */
type Queue = {
  readonly size: number;
  enqueue(item: Item): boolean;
  dequeue(): Item | undefined;
  peek(): Item | undefined;
  drain(): Item[];
  clear(): void;
};

// One block for all queues of this file: each begins where the last one ended.
const blockWords = 2_000_000;
const words = openWords(createWordBlock(blockWords));
let used = 0;

function sharedQueue(hardLimit: number): SharedPriorityQueue {
  const shape = { hardLimit, levels: 5, lowestPriority: 1, threads: 1 };
  const at = used;
  used += SharedPriorityQueue.wordsFor(shape);
  assert.ok(used <= blockWords, 'the block of the test is too small');
  SharedPriorityQueue.create(words, at, shape);
  return new SharedPriorityQueue(words, at, 0);
}

const kinds: readonly (readonly [name: string, make: (hardLimit: number) => Queue])[] = [
  ['plain', (hardLimit) => new PriorityQueue<Item>(hardLimit)],
  ['shared', sharedQueue],
];

function filled(queue: Queue, ...priorities: readonly number[]): Queue {
  for (const [at, priority] of priorities.entries()) {
    assert.equal(queue.enqueue({ id: at, priority }), true);
  }
  return queue;
}

function idsOut(queue: Queue): number[] {
  const ids: number[] = [];
  for (let item = queue.dequeue(); item !== undefined; item = queue.dequeue()) ids.push(item.id);
  return ids;
}

for (const [name, make] of kinds) {
  describe(`the ${name} queue`, () => {
    test('gives the highest priority first, and equals in the order in which they came', () => {
      assert.deepEqual(idsOut(filled(make(9), 1, 5, 3, 5, 1, 3)), [1, 3, 2, 5, 0, 4]);
    });

    test('keeps the order of equals when items leave in between', () => {
      const queue = filled(make(4), 2, 2, 2);
      assert.equal(queue.dequeue()?.id, 0);
      queue.enqueue({ id: 7, priority: 2 });
      queue.enqueue({ id: 8, priority: 3 });
      assert.deepEqual(idsOut(queue), [8, 1, 2, 7]);
    });

    test('hands out what it was given', () => {
      const queue = filled(make(2), 4);
      assert.deepEqual(queue.peek(), { id: 0, priority: 4 });
      assert.deepEqual(queue.dequeue(), { id: 0, priority: 4 });
    });

    test('refuses at its limit, also a higher priority, and is then untouched', () => {
      const queue = filled(make(2), 1, 2);
      assert.equal(queue.enqueue({ id: 9, priority: 5 }), false);
      assert.equal(queue.size, 2);
      assert.deepEqual(idsOut(queue), [1, 0]);
      assert.equal(queue.enqueue({ id: 9, priority: 5 }), true, 'there is room again');
    });

    test('with the limit 0 accepts nothing', () => {
      const queue = make(0);
      assert.equal(queue.enqueue({ id: 1, priority: 5 }), false);
      assert.equal(queue.size, 0);
      assert.equal(queue.dequeue(), undefined);
    });

    test('looks at the first item without taking it out', () => {
      const queue = filled(make(3), 1, 4, 2);
      assert.deepEqual([queue.peek()?.id, queue.peek()?.id, queue.size], [1, 1, 3]);
      assert.equal(make(3).peek(), undefined);
    });

    test('drains everything in the order of service and is empty afterwards', () => {
      const queue = filled(make(5), 2, 5, 2, 4, 1);
      assert.deepEqual(
        queue.drain().map(({ id }) => id),
        [1, 3, 0, 2, 4],
      );
      assert.deepEqual([queue.size, queue.peek(), queue.drain()], [0, undefined, []]);
      assert.deepEqual(idsOut(filled(queue, 1, 3, 1)), [1, 0, 2], 'and is used again');
    });

    test('is empty after clear, and is used again', () => {
      const queue = filled(make(3), 1, 2, 3);
      queue.clear();
      assert.deepEqual([queue.size, queue.dequeue()], [0, undefined]);
      assert.deepEqual(idsOut(filled(queue, 2, 5, 2)), [1, 0, 2]);
      queue.clear();
    });

    test('is none the worse for many rounds', () => {
      const queue = make(3);
      for (let round = 0; round < 500; round++) {
        assert.deepEqual(idsOut(filled(queue, 1, 5, 1)), [1, 0, 2]);
        if (round % 7 === 0) assert.equal(filled(queue, 2, 3).drain().length, 2);
      }
    });
  });

  type Step = { readonly kind: string; readonly priority: number };
  const step = fc.record<Step>({
    kind: fc.constantFrom('in', 'in', 'in', 'out', 'out', 'peek', 'drain', 'clear'),
    priority: fc.integer({ min: 1, max: 5 }),
  });
  const programs = fc.array(step, { maxLength: 60 });

  holds(
    `the ${name} queue does what a sorted list does`,
    fc.property(fc.nat(12), programs, (hardLimit, steps) => {
      const queue = make(hardLimit);
      let expected: Item[] = [];
      for (const [id, { kind, priority }] of steps.entries()) {
        if (kind === 'in') {
          const item = { id, priority };
          const fits = expected.length < hardLimit;
          assert.equal(queue.enqueue(item), fits);
          if (fits) expected.push(item);
          expected.sort((a, b) => b.priority - a.priority);
        } else if (kind === 'out') assert.deepEqual(queue.dequeue(), expected.shift());
        else if (kind === 'peek') assert.deepEqual(queue.peek(), expected[0]);
        else if (kind === 'drain') assert.deepEqual(queue.drain(), expected);
        else queue.clear();
        if (kind === 'drain' || kind === 'clear') expected = [];
        assert.equal(queue.size, expected.length);
      }
    }),
  );
}

test('a priority that is not finite is refused, and the queue stays as it is', () => {
  const queue = new PriorityQueue(3);
  for (const priority of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    assert.equal(queue.enqueue({ id: 'x', priority }), false, String(priority));
  }
  assert.equal(queue.size, 0);
});

test('any finite priority orders, fractions and negative ones too', () => {
  const queue = new PriorityQueue(5);
  for (const priority of [0, -3, 2.5, 2, -0]) queue.enqueue({ id: String(priority), priority });
  assert.deepEqual(
    queue.drain().map(({ priority }) => priority),
    [2.5, 2, 0, -0, -3],
  );
});

test('a hard limit that is no count is a bug', () => {
  for (const hardLimit of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => new PriorityQueue(hardLimit), { name: 'AssertionFailed' });
  }
});
