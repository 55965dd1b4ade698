// Goal: work is taken from the end of the longest other queue, or not at all. Method: a table with the
// queues before and after; then random queues.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { stealWork } from './work-stealing.ts';

type Queues = readonly (readonly string[])[];

test('the last element of the longest other queue is taken and removed there', () => {
  const rows: readonly (readonly [string, Queues, number, string | undefined, Queues])[] = [
    ['longest', [[], ['a'], ['b', 'c']], 0, 'c', [[], ['a'], ['b']]],
    ['ties: lowest index', [['a', 'b'], [], ['c', 'd']], 1, 'b', [['a'], [], ['c', 'd']]],
    ['never from itself', [['a', 'b', 'c'], ['d']], 0, 'd', [['a', 'b', 'c'], []]],
    ['all others empty', [['a'], [], []], 0, undefined, [['a'], [], []]],
    ['alone', [['a']], 0, undefined, [['a']]],
    ['no queue', [], 0, undefined, []],
    ['idle beyond the end', [['a']], 1, undefined, [['a']]],
    ['idle negative', [['a']], -1, undefined, [['a']]],
    ['idle no integer', [['a'], ['b']], 0.5, undefined, [['a'], ['b']]],
    ['idle NaN', [['a'], ['b']], Number.NaN, undefined, [['a'], ['b']]],
  ];
  for (const [name, queues, idle, taken, after] of rows) {
    const live = queues.map((queue) => [...queue]);
    assert.equal(stealWork(live, idle), taken, name);
    assert.deepEqual(live, after, name);
  }
});

holds(
  'stealing loses and doubles nothing, and shortens no other queue than a longest one',
  fc.property(
    fc.array(fc.array(fc.nat(), { maxLength: 5 }), { minLength: 1 }),
    fc.nat(9),
    (queues, at) => {
      const idle = at % queues.length;
      const live = queues.map((queue) => [...queue]);
      const most = Math.max(0, ...queues.filter((_, index) => index !== idle).map((q) => q.length));
      const taken = stealWork(live, idle);
      assert.equal(taken === undefined, most === 0);
      const changed = queues.flatMap((queue, index) =>
        queue.length === live[index]?.length ? [] : [index],
      );
      assert.equal(changed.length, most === 0 ? 0 : 1);
      for (const index of changed) {
        assert.equal(queues[index]?.length, most);
        assert.deepEqual([...(live[index] ?? []), taken], queues[index]);
      }
    },
  ),
);
