// Goal: the trees keep order and stay shallow. Method: random insertions and removals in two trees
// of one treap, beside sorted lists.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { FreeIndex } from './free-index.ts';
import { SlotTreap } from './slot-treap.ts';

type Key = { readonly slot: number; readonly major: number; readonly minor: number };

function byKey(a: Key, b: Key): number {
  return a.major - b.major || a.minor - b.minor;
}

/** All of a tree, by asking for the next key again and again. */
function walked(treap: SlotTreap, root: number, keys: readonly Key[]): readonly number[] {
  const slots: number[] = [];
  for (let slot = treap.first(root); slot !== 0; ) {
    slots.push(slot);
    const key = keys.find((one) => one.slot === slot);
    assert.ok(key !== undefined, `slot ${slot} is not of this tree`);
    slot = treap.firstFrom(root, key.major, key.minor + 1);
  }
  return slots;
}

/** Slots 1.. under keys of few sizes, so that ties are common; each slot has its own minor key. */
const entries = fc
  .array(fc.record({ major: fc.nat(6), tree: fc.nat(1), leaves: fc.boolean() }), { maxLength: 60 })
  .chain((list) =>
    fc
      .shuffledSubarray(
        list.map((_, i) => i),
        { minLength: list.length },
      )
      .map((minors) => list.map((entry, i) => ({ ...entry, slot: i + 1, minor: minors[i] ?? 0 }))),
  );

describe('gpu_memory', () => {
  holds(
    'a treap lists each of its trees in key order after any insertions and removals',
    fc.property(entries, (all) => {
      const treap = new SlotTreap();
      const roots = [0, 0];
      for (const { slot, major, minor, tree } of all) {
        roots[tree] = treap.insert(roots[tree] ?? 0, slot, major, minor);
      }
      for (const { slot, tree, leaves } of all) {
        if (leaves) roots[tree] = treap.remove(roots[tree] ?? 0, slot);
      }
      for (const [tree, root] of roots.entries()) {
        const kept = all.filter((entry) => entry.tree === tree && !entry.leaves).sort(byKey);
        assert.deepEqual(
          walked(treap, root, kept),
          kept.map(({ slot }) => slot),
        );
        assert.equal(treap.largestMajor(root), kept.at(-1)?.major ?? 0);
      }
    }),
  );

  holds(
    'the free index finds the next block over all size classes, and the largest',
    fc.property(
      fc.uniqueArray(
        fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 53 - 1 })),
        { maxLength: 40 },
      ),
      fc.array(fc.boolean()),
      fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 2 ** 53 - 1 })),
      (sizes, leaves, wanted) => {
        const index = new FreeIndex();
        for (const [i, size] of sizes.entries()) index.add(i + 1, size, i);
        for (const [i, size] of sizes.entries()) if (leaves[i]) index.remove(i + 1, size);
        const kept = sizes.filter((_, i) => !leaves[i]);
        const next = kept.filter((size) => size >= wanted).sort((a, b) => a - b)[0];
        const expected = next === undefined ? 0 : sizes.indexOf(next) + 1;
        assert.equal(index.firstFrom(wanted, 0), expected);
        assert.equal(index.largest(), Math.max(0, ...kept));
      },
    ),
  );
});
