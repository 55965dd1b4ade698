// Bounded containers against unbounded ones of the language: the same items, never more than the cap.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AssertionFailed } from './assert.ts';
import { BoundedMap } from './bounded-map.ts';
import { Ring } from './ring.ts';

test('a ring keeps the newest items in order and gives back the one that fell out', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.integer()), (capacity, items) => {
      const ring = new Ring<number>(capacity);
      const model: number[] = [];
      for (const item of items) {
        model.push(item);
        const expected = model.length > capacity ? model.shift() : undefined;
        assert.equal(ring.push(item), expected);
        assert.deepEqual(ring.toArray(), model);
        assert.equal(ring.latest(), model.at(-1));
        assert.equal(ring.size, model.length);
      }
      ring.clear();
      assert.deepEqual([ring.size, ring.latest(), ring.toArray()], [0, undefined, []]);
    }),
    { seed: 5, numRuns: 200 },
  );
});

test('a bounded map drops the entry written longest ago, and writing again makes it new', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  assert.deepEqual(
    [...map.entries()],
    [
      ['a', 3],
      ['c', 4],
    ],
  );
  assert.equal(map.has('b'), false);
  assert.equal(map.delete('a'), true);
  assert.equal(map.size, 1);
});

test('a container without room is a bug of its maker', () => {
  assert.throws(() => new Ring(0), AssertionFailed);
  assert.throws(() => new BoundedMap(0.5), AssertionFailed);
});
