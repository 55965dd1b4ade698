// Goal: the limiter of A.9 - start, refill, take, batch, a clock that goes back - with each edge, for
// the plain bucket and, unchanged, for the one that threads share (D.5). Method: cases, and the bound
// on what is granted over random schedules.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { SharedTokenBucket } from '../../io/shared-memory/shared-token-bucket.ts';
import { createWordBlock, openWords } from '../../io/shared-memory/shared-words.ts';
import { TokenBucket } from './token-bucket.ts';

/** What both have in common. */
type Bucket = {
  tryAcquire(now: number): boolean;
  tryAcquireBatch(count: number, now: number): boolean;
  refill(now: number): void;
  available(): number;
};

const words = openWords(createWordBlock(SharedTokenBucket.words));

/** Each new one takes the place of the one before. */
function sharedBucket(capacity: number, refillRate: number): SharedTokenBucket {
  const made = SharedTokenBucket.create(words, 0, { capacity, refillRate, span: 2 ** 36 });
  assert.ok(made.ok);
  return new SharedTokenBucket(words, 0);
}

const kinds: readonly (readonly [
  name: string,
  make: (capacity: number, refillRate: number) => Bucket,
])[] = [
  ['plain', (capacity, refillRate) => new TokenBucket(capacity, refillRate)],
  ['shared', sharedBucket],
];

for (const [name, make] of kinds) {
  describe(`the ${name} bucket`, () => {
    test('starts full and gives one token at a time', () => {
      const bucket = make(3, 1);
      assert.equal(bucket.available(), 3);
      assert.deepEqual(
        [0, 0, 0, 0].map((now) => bucket.tryAcquire(now)),
        [true, true, true, false],
      );
      assert.equal(bucket.available(), 0);
    });

    test('refills first and then checks, in tokens per unit of time since 0', () => {
      const bucket = make(10, 0.5);
      assert.equal(bucket.tryAcquireBatch(10, 0), true);
      assert.equal(bucket.tryAcquire(1), false, 'half a token');
      assert.equal(bucket.available(), 0.5);
      assert.equal(bucket.tryAcquire(2), true, 'the second half has come');
      assert.equal(bucket.available(), 0);
    });

    test('refills also when it refuses, and loses no fraction by being asked often', () => {
      const bucket = make(1, 0.0625);
      assert.equal(bucket.tryAcquire(0), true);
      for (let now = 1; now < 16; now++) assert.equal(bucket.tryAcquire(now), false, `${now}`);
      assert.equal(bucket.tryAcquire(16), true);
    });

    test('never holds more than its capacity', () => {
      const bucket = make(4, 2);
      bucket.refill(1_000_000);
      assert.equal(bucket.available(), 4);
      bucket.tryAcquireBatch(3, 1_000_000);
      bucket.refill(1_000_001);
      assert.equal(bucket.available(), 3);
      bucket.refill(60_000_000_000);
      assert.equal(bucket.available(), 4);
    });

    test('gives a batch whole or not at all', () => {
      const bucket = make(5, 1);
      assert.equal(bucket.tryAcquireBatch(6, 0), false);
      assert.equal(bucket.available(), 5);
      assert.equal(bucket.tryAcquireBatch(5, 0), true);
      assert.equal(bucket.tryAcquireBatch(2, 1), false);
      assert.equal(bucket.available(), 1);
      assert.equal(bucket.tryAcquireBatch(2, 2), true);
    });

    test('gives a batch of 0 always, and never anything for a count that is none', () => {
      const bucket = make(1, 0);
      assert.equal(bucket.tryAcquire(0), true);
      assert.equal(bucket.tryAcquireBatch(0, 0), true);
      for (const count of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
        assert.equal(bucket.tryAcquireBatch(count, 0), false, String(count));
      }
      assert.equal(bucket.available(), 0);
    });

    test('gets nothing from a clock that goes back, and keeps the time it had', () => {
      const bucket = make(10, 1);
      assert.equal(bucket.tryAcquireBatch(10, 100), true);
      assert.equal(bucket.tryAcquire(40), false);
      assert.equal(bucket.tryAcquire(100), false);
      bucket.refill(50);
      assert.equal(bucket.available(), 0);
      assert.equal(bucket.tryAcquire(101), true, 'one unit since 100, not since 40');
      assert.equal(bucket.tryAcquire(101), false);
      assert.equal(bucket.tryAcquire(-5), false, 'before the beginning');
    });

    test('takes no notice of a time that is no time', () => {
      const bucket = make(2, 1);
      assert.equal(bucket.tryAcquireBatch(2, 0), true);
      for (const now of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        assert.equal(bucket.tryAcquire(now), false, String(now));
        assert.equal(bucket.tryAcquireBatch(0, now), false, String(now));
        bucket.refill(now);
      }
      assert.equal(bucket.available(), 0);
      assert.equal(bucket.tryAcquire(1), true);
    });

    test('without a rate gives its capacity once, without a capacity nothing', () => {
      const once = make(2, 0);
      assert.deepEqual(
        [0, 1, 1_000_000].map((now) => once.tryAcquire(now)),
        [true, true, false],
      );
      const never = make(0, 5);
      assert.deepEqual([never.tryAcquire(0), never.tryAcquire(99)], [false, false]);
      assert.equal(never.tryAcquireBatch(0, 99), true);
    });

    test('with a rate beyond its capacity is full after one unit of time', () => {
      const bucket = make(3, 1000);
      assert.equal(bucket.tryAcquireBatch(3, 0), true);
      assert.equal(bucket.tryAcquire(0), false);
      assert.equal(bucket.tryAcquireBatch(3, 1), true);
      assert.equal(bucket.available(), 0);
    });
  });

  const request = fc.record({ wait: fc.integer({ min: -3, max: 9 }), count: fc.nat(4) });

  holds(
    `the ${name} bucket grants at most capacity + rate x interval, in any interval`,
    fc.property(
      fc.integer({ min: 0, max: 12 }),
      fc.constantFrom(0, 0.125, 0.5, 1, 3),
      fc.array(request, { maxLength: 50 }),
      (capacity, rate, requests) => {
        const bucket = make(capacity, rate);
        const grants: { readonly at: number; readonly count: number }[] = [];
        let clock = 0;
        let mark = 0;
        for (const { wait, count } of requests) {
          clock = Math.max(0, clock + wait);
          mark = Math.max(mark, clock);
          if (bucket.tryAcquireBatch(count, clock)) grants.push({ at: mark, count });
          assert.ok(bucket.available() >= 0 && bucket.available() <= capacity);
        }
        for (const [from, first] of grants.entries()) {
          let granted = 0;
          for (const { at, count } of grants.slice(from)) {
            granted += count;
            assert.ok(granted <= capacity + rate * (at - first.at), `${first.at} to ${at}`);
          }
        }
      },
    ),
  );

  holds(
    `the ${name} bucket counts what its rule says, step by step`,
    fc.property(
      fc.integer({ min: 0, max: 12 }),
      fc.constantFrom(0, 0.125, 0.5, 1, 3),
      fc.array(request, { maxLength: 50 }),
      (capacity, rate, requests) => {
        const bucket = make(capacity, rate);
        let tokens = capacity;
        let clock = 0;
        let mark = 0;
        for (const { wait, count } of requests) {
          clock += wait;
          if (clock > mark) {
            tokens = Math.min(capacity, tokens + (clock - mark) * rate);
            mark = clock;
          }
          assert.equal(bucket.tryAcquireBatch(count, clock), tokens >= count);
          if (tokens >= count) tokens -= count;
          assert.equal(bucket.available(), tokens);
        }
      },
    ),
  );
}

test('a capacity or a rate that is no amount is a bug', () => {
  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => new TokenBucket(bad, 1), { name: 'AssertionFailed' });
    assert.throws(() => new TokenBucket(1, bad), { name: 'AssertionFailed' });
  }
});
