// Goal: the rows boost, enqueueAll and splitExpired of A.9 with their edges. Method: cases.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PriorityQueue } from './priority-queue.ts';
import { boost, enqueueAll, splitExpired } from './queue-item.ts';

test('a boost is a new item with the amount added, and leaves the given one alone', () => {
  const item = Object.freeze({ id: 'a', priority: 3 });
  assert.deepEqual(boost(item, 2), { id: 'a', priority: 5 });
  assert.deepEqual(boost(item, -4), { id: 'a', priority: -1 });
  assert.deepEqual(boost({ ...item, group: 'g' }, 0), { id: 'a', priority: 3, group: 'g' });
});

test('queueing a list counts what was accepted, not what was attempted', () => {
  const queue = new PriorityQueue(3);
  const items = [1, 9, 5, 8, 7].map((priority, at) => ({ id: `i${at}`, priority }));
  assert.equal(enqueueAll(queue, items), 3);
  assert.deepEqual(
    queue.drain().map(({ id }) => id),
    ['i1', 'i2', 'i0'],
    'the first three stay, although better ones came later',
  );
  assert.equal(enqueueAll(queue, []), 0);
  assert.equal(enqueueAll(new PriorityQueue(0), items), 0);
});

test('items expire at the cutoff itself; both lists keep the order and drop the time', () => {
  const items = [
    { id: 'late', priority: 1, timestamp: 101 },
    { id: 'edge', priority: 2, timestamp: 100 },
    { id: 'old', priority: 9, timestamp: 7 },
    { id: 'new', priority: 3, timestamp: 300 },
  ];
  assert.deepEqual(splitExpired(items, 100), {
    expired: [
      { id: 'edge', priority: 2 },
      { id: 'old', priority: 9 },
    ],
    active: [
      { id: 'late', priority: 1 },
      { id: 'new', priority: 3 },
    ],
  });
  assert.deepEqual(splitExpired([], 100), { expired: [], active: [] });
});
