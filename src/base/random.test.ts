// The generator is compared with numbers worked out apart from it, and its draws with their range.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from './random.ts';

function draws(seed: number, count: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random.nextUint32());
}

/** xoshiro128** with BigInt arithmetic: the same definition written another way. */
function reference(seed: number, count: number): number[] {
  const mask = 0xffffffffn;
  let state = BigInt(seed >>> 0);
  const split = (): bigint => {
    state = (state + 0x9e3779b9n) & mask;
    let z = state;
    z = ((z ^ (z >> 16n)) * 0x85ebca6bn) & mask;
    z = ((z ^ (z >> 13n)) * 0xc2b2ae35n) & mask;
    return z ^ (z >> 16n);
  };
  const s: [bigint, bigint, bigint, bigint] = [split(), split(), split(), split()];
  const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & mask;
  return Array.from({ length: count }, () => {
    const result = (rotate((s[1] * 5n) & mask, 7n) * 9n) & mask;
    const t = (s[1] << 9n) & mask;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11n);
    return Number(result);
  });
}

test('it is xoshiro128** seeded by splitmix32, for any seed', () => {
  for (const seed of [0, 1, 42, 0xffffffff, -1, 2 ** 32 + 5]) {
    assert.deepEqual(draws(seed, 50), reference(seed, 50), `seed ${seed}`);
  }
});

test('a draw below a bound stays below it and reaches every value', () => {
  const random = seededRandom(3);
  for (const bound of [1, 2, 3, 10, 4294967296]) {
    const seen = new Set<number>();
    for (let i = 0; i < 300; i++) {
      const value = random.nextBelow(bound);
      assert.ok(Number.isInteger(value) && value >= 0 && value < bound);
      seen.add(value);
    }
    if (bound <= 10) assert.equal(seen.size, bound);
  }
});

test('a unit draw is in [0, 1)', () => {
  const random = seededRandom(4);
  for (let i = 0; i < 1000; i++) {
    const value = random.nextUnit();
    assert.ok(value >= 0 && value < 1);
  }
});
