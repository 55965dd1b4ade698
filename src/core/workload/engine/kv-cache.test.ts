// Goal: blocks are never lost or counted twice. Method: cases by hand, and a sampled history of
// reservations and releases that must end with all memory given back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KvCache, type Reservation } from './kv-cache.ts';

function reserve(cache: KvCache, hashes: readonly number[], total: number): Reservation {
  const reservation = cache.reserve(hashes, total);
  assert.ok(reservation);
  return reservation;
}

test('a published prefix is found by the next prompt and held by both', () => {
  const cache = new KvCache(10);
  const first = reserve(cache, [1, 2, 3], 4);
  cache.publish(first, [1, 2, 3]);
  const second = reserve(cache, [1, 2, 9], 4);
  assert.equal(second.hitBlocks, 2);
  assert.equal(cache.usedBlocks, 4 + 2);
  cache.release(first);
  assert.equal(cache.usedBlocks, 4);
  cache.release(second);
  assert.equal(cache.usedBlocks, 0);
});

test('idle blocks give way, the tail of the prefix first, when room is needed', () => {
  const cache = new KvCache(4);
  const first = reserve(cache, [1, 2, 3], 3);
  cache.publish(first, [1, 2, 3]);
  cache.release(first);
  assert.equal(cache.idleBlocks, 3);
  const second = reserve(cache, [], 3);
  assert.equal(cache.idleBlocks, 1);
  cache.release(second);
  assert.equal(reserve(cache, [1, 2, 3], 3).hitBlocks, 1);
});

test('a reservation that does not fit changes nothing', () => {
  const cache = new KvCache(4);
  const first = reserve(cache, [1], 2);
  cache.publish(first, [1]);
  assert.equal(cache.reserve([1], 4), undefined);
  assert.equal(cache.usedBlocks, 2);
});

test('whatever the order of reservations and releases, memory is bounded and comes back', () => {
  const event = fc.record({
    prefix: fc.integer({ min: 0, max: 2 }),
    length: fc.integer({ min: 0, max: 6 }),
    extra: fc.integer({ min: 1, max: 4 }),
    release: fc.integer({ min: 0, max: 5 }),
    publish: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const cache = new KvCache(16);
      const held: Reservation[] = [];
      for (const { prefix, length, extra, release, publish } of events) {
        const hashes = Array.from({ length }, (_, i) => prefix * 100 + i);
        const reservation = cache.reserve(hashes, length + extra);
        if (reservation !== undefined) {
          if (publish) cache.publish(reservation, hashes);
          held.push(reservation);
        }
        const [released] = held.splice(release, 1);
        if (released !== undefined) cache.release(released);
        assert.ok(cache.usedBlocks + cache.idleBlocks <= 16);
      }
      for (const one of held) cache.release(one);
      assert.equal(cache.usedBlocks, 0);
    }),
    { seed: 20261121, numRuns: 300 },
  );
});
