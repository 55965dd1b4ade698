// Goal: counts of slots add up, and a ring never gives one slot the counts of another (I1, I2).
// Method: cases by hand, then random additions beside a plain map that never forgets.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { OutcomeCounts } from './outcome-counts.ts';

describe('policy', () => {
  test('sums take both ends, and empty slots count nothing', () => {
    const counts = new OutcomeCounts(5);
    assert.equal(counts.add(10, { total: 4, bad: 1 }), true);
    assert.equal(counts.add(12, { total: 6, bad: 0 }), true);
    assert.equal(counts.add(12, { total: 1, bad: 1 }), true);
    assert.deepEqual(counts.sum(10, 12), { total: 11, bad: 2 });
    assert.deepEqual(counts.sum(11, 12), { total: 7, bad: 1 });
    assert.deepEqual(counts.sum(-3, 9), { total: 0, bad: 0 });
    assert.deepEqual(counts.get(12), { total: 7, bad: 1 });
  });

  test('a slot that left the ring is refused and disturbs no other', () => {
    const counts = new OutcomeCounts(3);
    counts.add(7, { total: 5, bad: 5 });
    assert.equal(counts.add(4, { total: 9, bad: 9 }), false);
    assert.deepEqual(counts.sum(0, 7), { total: 5, bad: 5 });
    counts.add(10, { total: 1, bad: 0 });
    assert.deepEqual(counts.sum(7, 10), { total: 1, bad: 0 });
  });

  test('more bad requests than requests are a fault of the caller', () => {
    assert.throws(() => new OutcomeCounts(3).add(1, { total: 1, bad: 2 }), /2 of 1 are bad/);
  });

  const addition = fc.record({
    slot: fc.integer({ min: 0, max: 40 }),
    total: fc.integer({ min: 0, max: 9 }),
  });
  holds(
    'sums over slots of the ring are those of a map that never forgets',
    fc.property(fc.array(addition, { maxLength: 60 }), (additions) => {
      const ring = new OutcomeCounts(8);
      const all = new Map<number, number>();
      let newest = 0;
      for (const { slot, total } of additions.toSorted((a, b) => a.slot - b.slot)) {
        newest = slot;
        assert.ok(ring.add(slot, { total, bad: 0 }));
        all.set(slot, (all.get(slot) ?? 0) + total);
      }
      for (let first = newest - 7; first <= newest; first++) {
        let expected = 0;
        for (let slot = first; slot <= newest; slot++) expected += all.get(slot) ?? 0;
        assert.equal(ring.sum(first, newest).total, expected);
      }
    }),
  );
});
