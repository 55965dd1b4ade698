// Goal: alignment is exact on sizes that 32 bits cannot hold, up to 2^53. Method: the edges by hand,
// and the definition against BigInt arithmetic.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { alignUp, isPowerOfTwo } from './alignment.ts';

describe('gpu_memory', () => {
  test('a size is rounded up to the next multiple', () => {
    const cases: readonly (readonly [size: number, alignment: number, expected: number])[] = [
      [0, 512, 0],
      [1, 512, 512],
      [512, 512, 512],
      [513, 512, 1024],
      [5_000_000_001, 4096, 5_000_003_584],
      [2 ** 31, 2 ** 21, 2 ** 31],
      [2 ** 32 + 1, 2, 2 ** 32 + 2],
      [2 ** 53 - 1, 2 ** 52, 2 ** 53],
      [2 ** 53 - 1, 1, 2 ** 53 - 1],
    ];
    for (const [size, alignment, expected] of cases) {
      assert.equal(alignUp(size, alignment), expected, `${size} to ${alignment}`);
    }
  });

  test('an alignment of 0 or 1 leaves every size', () => {
    for (const size of [0, 1, 77, 2 ** 40 + 1]) {
      assert.equal(alignUp(size, 0), size);
      assert.equal(alignUp(size, 1), size);
    }
  });

  test('an alignment that is no power of two still means its multiples', () => {
    assert.equal(alignUp(10, 3), 12);
    assert.equal(alignUp(12, 3), 12);
    assert.equal(alignUp(2 ** 40, 1000), 1_099_511_628_000);
  });

  holds(
    'the answer is the only multiple within one alignment above the size',
    fc.property(fc.maxSafeNat(), fc.integer({ min: 2, max: 2 ** 31 }), (size, alignment) => {
      const up = alignUp(size, alignment);
      if (up > Number.MAX_SAFE_INTEGER) return;
      assert.equal(BigInt(up) % BigInt(alignment), 0n);
      assert.ok(up >= size);
      assert.ok(up - size < alignment);
    }),
  );

  test('powers of two are told up to the largest safe integers, and nothing beside them', () => {
    for (let exponent = 0; exponent <= 53; exponent++) {
      const power = 2 ** exponent;
      assert.equal(isPowerOfTwo(power), true, `2^${exponent}`);
      if (exponent >= 2) assert.equal(isPowerOfTwo(power - 1), false, `2^${exponent} - 1`);
      if (exponent >= 1 && exponent < 53) {
        assert.equal(isPowerOfTwo(power + 1), false, `2^${exponent} + 1`);
      }
    }
    for (const value of [0, -1, -2, 0.5, 3, 2 ** 32 + 2 ** 31, Number.NaN, Infinity, -Infinity]) {
      assert.equal(isPowerOfTwo(value), false, String(value));
    }
  });
});
