// Goal: chains are walked to their root and no further, whatever is wrong with them. Method: one table
// over closed, open and circular chains for all four functions; the value of A.15 for restore time.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unbounded } from '../../base/numbers.ts';
import { byId, checkpoint } from './checkpoint.test-support.ts';
import {
  chainLength,
  chainSize,
  estimateRestoreTime,
  findChainRoot,
  restorationChain,
} from './checkpoint-chain.ts';

const all = byId(
  checkpoint('root', { sizeBytes: 700 }),
  checkpoint('a', { parentId: 'root', sizeBytes: 300 }),
  checkpoint('b', { parentId: 'a', sizeBytes: 1 }),
  checkpoint('side', { parentId: 'root', sizeBytes: 5 }),
  checkpoint('orphan', { parentId: 'gone', sizeBytes: 9 }),
  checkpoint('child of orphan', { parentId: 'orphan', sizeBytes: 9 }),
  checkpoint('self', { parentId: 'self', sizeBytes: 9 }),
  checkpoint('x', { parentId: 'y', sizeBytes: 9 }),
  checkpoint('y', { parentId: 'x', sizeBytes: 9 }),
  checkpoint('into the circle', { parentId: 'x', sizeBytes: 9 }),
  checkpoint('buried', { state: 'deleted', sizeBytes: 40 }),
  checkpoint('on a tombstone', { parentId: 'buried', sizeBytes: 2 }),
);

type Row = readonly [string, number, string | undefined, readonly string[], number];

describe('checkpoint', () => {
  test('a chain is counted, rooted, ordered and summed from its root to the checkpoint', () => {
    const rows: readonly Row[] = [
      ['root', 1, 'root', ['root'], 700],
      ['a', 2, 'root', ['root', 'a'], 1000],
      ['b', 3, 'root', ['root', 'a', 'b'], 1001],
      ['side', 2, 'root', ['root', 'side'], 705],
      ['unknown', 0, undefined, [], 0],
      ['orphan', 1, undefined, [], 0],
      ['child of orphan', 2, undefined, [], 0],
      ['self', 1, undefined, [], 0],
      ['x', 2, undefined, [], 0],
      ['into the circle', 3, undefined, [], 0],
      ['on a tombstone', 2, 'buried', ['buried', 'on a tombstone'], 42],
    ];
    for (const [id, length, root, chain, bytes] of rows) {
      assert.equal(chainLength(all, id), length, `length of ${id}`);
      assert.equal(findChainRoot(all, id), root, `root of ${id}`);
      assert.deepEqual(restorationChain(all, id), chain, `chain of ${id}`);
      assert.equal(chainSize(all, id), bytes, `size of ${id}`);
    }
  });

  test('a chain of ten thousand and sizes beyond 2^32 are walked like any other', () => {
    const long = byId(
      ...Array.from({ length: 10_000 }, (_, i) =>
        checkpoint(`c-${i}`, {
          sizeBytes: 2 ** 33,
          ...(i === 0 ? {} : { parentId: `c-${i - 1}` }),
        }),
      ),
    );
    assert.equal(chainLength(long, 'c-9999'), 10_000);
    assert.equal(findChainRoot(long, 'c-9999'), 'c-0');
    assert.equal(restorationChain(long, 'c-9999')[1], 'c-1');
    assert.equal(chainSize(long, 'c-9999'), 10_000 * 2 ** 33);
  });

  test('restoring takes the base, a part for each checkpoint, and the bytes at their speed', () => {
    const chain = [{ sizeBytes: 700 }, { sizeBytes: 301 }];
    const rows: readonly [string, readonly { sizeBytes: number }[], number, number][] = [
      ['the value of A.15', chain, 50, 75],
      ['an exact division', [{ sizeBytes: 1000 }], 50, 67],
      ['a fraction of a byte per ms', [{ sizeBytes: 3 }], 0.1, 77],
      ['more than all bytes per ms', chain, 10_000, 55],
      ['an empty chain', [], 50, 40],
      ['an empty chain without speed', [], 0, 40],
      ['no bytes without speed', [{ sizeBytes: 0 }], 0, 47],
      ['bytes without speed', chain, 0, unbounded],
      ['bytes at a negative speed', chain, -1, unbounded],
      ['a speed that is almost none', chain, Number.MIN_VALUE, unbounded],
      ['beyond 2^32', [{ sizeBytes: 2 ** 40 + 1 }], 2, 2 ** 39 + 48],
    ];
    for (const [name, sizes, bytesPerMs, ms] of rows) {
      const speed = { baseMs: 40, perCheckpointMs: 7, bytesPerMs };
      assert.equal(estimateRestoreTime(sizes, speed), ms, name);
    }
  });
});
