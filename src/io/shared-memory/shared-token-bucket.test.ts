// Goal: what is particular to the shared bucket: what fits into 64 bits and how exactly, and times far
// from 0. How it grants is tested with the plain one (core/queue/token-bucket.test.ts), what it does
// under many threads in the tests beside this one. Method: tables, and random times against exact
// integers.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { type BucketOptions, bucketFormat } from './bucket-format.ts';
import { SharedTokenBucket } from './shared-token-bucket.ts';
import { createWordBlock, openWords } from './shared-words.ts';

const twoYearsMs = 2 ** 36;
const words = openWords(createWordBlock(SharedTokenBucket.words));

function bucketOf(options: BucketOptions): SharedTokenBucket {
  const made = SharedTokenBucket.create(words, 0, options);
  assert.ok(made.ok, made.ok ? '' : made.error.message);
  return new SharedTokenBucket(words, 0);
}

describe('the format', () => {
  test('gives the time the bits of the span and the tokens the rest', () => {
    const rows: readonly (readonly [BucketOptions, tokenBits: number, fractionBits: number])[] = [
      [{ capacity: 100, refillRate: 1, span: twoYearsMs - 1 }, 28, 21],
      [{ capacity: 100, refillRate: 1, span: twoYearsMs }, 27, 20],
      [{ capacity: 127, refillRate: 1, span: twoYearsMs - 1 }, 28, 21],
      [{ capacity: 128, refillRate: 1, span: twoYearsMs - 1 }, 28, 20],
      [{ capacity: 1, refillRate: 1, span: 1 }, 31, 30],
      [{ capacity: 2 ** 31 - 1, refillRate: 1, span: 2 ** 33 - 1 }, 31, 0],
      [{ capacity: 2047, refillRate: 5, span: Number.MAX_SAFE_INTEGER }, 11, 0],
    ];
    for (const [options, tokenBits, fractionBits] of rows) {
      const format = bucketFormat(options);
      assert.ok(format.ok);
      const { value } = format;
      assert.deepEqual([value.tokenBits, value.fractionBits], [tokenBits, fractionBits]);
      assert.ok(value.capacity < 2 ** value.tokenBits);
    }
  });

  test('refuses what 64 bits cannot hold, naming the field and its bound', () => {
    const rows: readonly (readonly [BucketOptions, field: string])[] = [
      [{ capacity: 2 ** 31, refillRate: 1, span: 1 }, 'capacity'],
      [{ capacity: 2048, refillRate: 1, span: Number.MAX_SAFE_INTEGER }, 'capacity'],
      // 1/4096 of a token per unit, where a token has 2^10 parts at most.
      [{ capacity: 1, refillRate: 1 / 4096, span: Number.MAX_SAFE_INTEGER }, 'refillRate'],
      [{ capacity: 1e-12, refillRate: 0, span: 1 }, 'capacity'],
      [{ capacity: -1, refillRate: 1, span: 1 }, 'capacity'],
      [{ capacity: Number.NaN, refillRate: 1, span: 1 }, 'capacity'],
      [{ capacity: 1, refillRate: Number.POSITIVE_INFINITY, span: 1 }, 'refillRate'],
      [{ capacity: 1, refillRate: -0.5, span: 1 }, 'refillRate'],
      [{ capacity: 1, refillRate: 1, span: 0 }, 'span'],
      [{ capacity: 1, refillRate: 1, span: 1.5 }, 'span'],
      [{ capacity: 1, refillRate: 1, span: 2 ** 53 }, 'span'],
      [{ capacity: 1, refillRate: 1, span: 1, origin: 0.5 }, 'origin'],
    ];
    for (const [options, field] of rows) {
      const format = bucketFormat(options);
      assert.ok(!format.ok, JSON.stringify(options));
      assert.equal(format.error.code, 'bucket_out_of_range');
      assert.deepEqual(
        format.error.details?.map((violation) => violation.field),
        [field],
      );
    }
  });

  test('that is refused leaves the memory alone', () => {
    const before = bucketOf({ capacity: 3, refillRate: 1, span: 99 });
    assert.equal(before.tryAcquire(0), true);
    assert.ok(!SharedTokenBucket.create(words, 0, { capacity: -1, refillRate: 1, span: 1 }).ok);
    assert.equal(before.available(), 2);
  });

  holds(
    'rounds the rate down, and by less than a thousandth',
    fc.property(
      fc.double({ min: 1e-6, max: 1e4, noNaN: true }),
      fc.integer({ min: 1, max: 100_000 }),
      (refillRate, capacity) => {
        const format = bucketFormat({ capacity, refillRate, span: twoYearsMs });
        if (!format.ok) return;
        const held = format.value.rate / 2 ** format.value.fractionBits;
        const wanted = Math.min(refillRate, capacity);
        assert.ok(held <= wanted && held >= wanted * (1 - 1 / 1024), `${held} for ${wanted}`);
        assert.equal(format.value.capacity / 2 ** format.value.fractionBits, capacity);
      },
    ),
  );
});

describe('time', () => {
  const origin = 1_800_000_000_000;

  test('counts from the origin on, and nothing comes in before it', () => {
    const bucket = bucketOf({ capacity: 2, refillRate: 0.5, origin, span: twoYearsMs });
    assert.equal(bucket.tryAcquireBatch(2, origin), true);
    assert.equal(bucket.tryAcquire(origin - 1000), false);
    assert.equal(bucket.tryAcquire(0), false);
    assert.equal(bucket.tryAcquire(origin + 2), true);
    assert.equal(
      bucketOf({ capacity: 1, refillRate: 0, origin: -(2 ** 40), span: 1 }).tryAcquire(
        0 - 2 ** 40 + 1,
      ),
      true,
    );
  });

  test('is whole: a fraction of a unit has not passed yet', () => {
    const bucket = bucketOf({ capacity: 1, refillRate: 1, span: 100 });
    assert.deepEqual(
      [0.5, 0.9, 1.1].map((now) => bucket.tryAcquire(now)),
      [true, false, true],
    );
  });

  test('beyond the span is a bug', () => {
    const bucket = bucketOf({ capacity: 1, refillRate: 1, origin, span: twoYearsMs });
    assert.equal(bucket.tryAcquire(origin + twoYearsMs), true);
    assert.throws(() => bucket.tryAcquire(origin + twoYearsMs + 1), /is good until/);
  });

  holds(
    'comes back from the word as it went in, whatever the span',
    fc.property(
      fc.integer({ min: 1, max: 53 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 20 }),
      (bits, shares) => {
        const span = 2 ** bits - 1;
        const bucket = bucketOf({ capacity: 5, refillRate: 1, span });
        let tokens = 5;
        let mark = 0;
        for (const share of shares) {
          const now = Math.floor(span * share);
          tokens = Math.min(5, tokens + Math.max(0, now - mark));
          mark = Math.max(mark, now);
          assert.equal(bucket.tryAcquireBatch(2, now), tokens >= 2, `at ${now} of ${span}`);
          if (tokens >= 2) tokens -= 2;
          assert.equal(bucket.available(), tokens);
        }
      },
    ),
  );
});

test('a bucket is attached to only where there is one, at a cache line', () => {
  const fresh = openWords(createWordBlock(64));
  assert.throws(() => new SharedTokenBucket(fresh, 0), /no shared bucket/);
  const options = { capacity: 1, refillRate: 1, span: 1 };
  assert.throws(() => SharedTokenBucket.create(fresh, 8, options), /not at a cache line/);
  assert.ok(SharedTokenBucket.create(fresh, 48, options).ok);
  assert.equal(new SharedTokenBucket(fresh, 48).available(), 1);
});
