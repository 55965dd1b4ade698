// The list is compared with a Set over random sequences: same members, each at its own index.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SwapList, type SwapListMember } from './swap-list.ts';

test('adding and removing in any order leaves the members a set would have', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (steps) => {
      const members: SwapListMember[] = Array.from({ length: 21 }, () => ({ listIndex: -1 }));
      const list = new SwapList<SwapListMember>();
      const model = new Set<SwapListMember>();
      for (const step of steps) {
        const member = members[step] as SwapListMember;
        if (model.delete(member)) list.delete(member);
        else {
          model.add(member);
          list.add(member);
        }
        assert.equal(list.size, model.size);
        assert.deepEqual(new Set(list.toArray()), model);
        for (const [i, item] of list.toArray().entries()) assert.equal(item.listIndex, i);
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('removing an object that is not in the list does nothing', () => {
  const list = new SwapList<SwapListMember>();
  const member = { listIndex: -1 };
  list.delete(member);
  list.add(member);
  list.delete(member);
  list.delete(member);
  assert.equal(list.size, 0);
});
