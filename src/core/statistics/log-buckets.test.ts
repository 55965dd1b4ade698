// Goal: every double of normal size lies in a bucket whose middle is within 0.5 % of it, buckets
// ascend with their values, and their bounds never change, since stored sketches rely on them.
// Method: all buckets of an octave and of the outermost octaves, and random doubles by their bits.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import {
  boundOf,
  bucketFor,
  bucketOf,
  bucketsMax,
  middleOf,
  octaveLast,
  octaveOf,
  octavesMax,
  rankOfOctave,
  relativeErrorMax,
  stepsPerOctave,
} from './log-buckets.ts';

const smallestNormal = 2 ** -1022;

test('the cap holds 28 octaves and the zero bucket', () => {
  assert.equal(octavesMax, 28);
  assert.ok(octavesMax * stepsPerOctave + 1 <= bucketsMax);
});

test('the bounds of an octave are where they always were', () => {
  const bounds = Array.from({ length: 72 }, (_, step) => (boundOf(1023 * 72 + step) - 1) * 4096);
  assert.ok(bounds.every(Number.isInteger));
  assert.deepEqual(bounds.slice(0, 6), [0, 40, 80, 120, 161, 202]);
  assert.deepEqual(bounds.slice(66), [3636, 3711, 3787, 3863, 3940, 4018]);
  assert.equal(
    bounds.reduce((sum, bound, step) => sum + bound * (step + 1), 0),
    6_437_427,
  );
});

test('each bucket of the lowest, middle and highest octaves holds its bound and keeps the error', () => {
  for (const octave of [1, 2, 1022, 1023, 1024, octaveLast - 1, octaveLast]) {
    for (let step = 0; step < stepsPerOctave; step += 1) {
      const bucket = bucketFor(octave, step);
      const lower = boundOf(bucket);
      const below = lower * (1 - Number.EPSILON / 2);
      assert.equal(bucketOf(lower), bucket, `bound of ${bucket}`);
      if (bucket > stepsPerOctave) assert.equal(bucketOf(below), bucket - 1, `below ${bucket}`);
      assert.equal(bucketOf(-lower), -bucket, 'mirrored');
      const middle = middleOf(bucket);
      assert.ok(Number.isFinite(middle) && bucketOf(middle) === bucket, `middle of ${bucket}`);
      assert.ok((middle - lower) / lower <= relativeErrorMax, `lower end of ${bucket}`);
      const upper = octave === octaveLast && step === 71 ? Number.MAX_VALUE : boundOf(bucket + 1);
      assert.ok((upper - middle) / upper <= relativeErrorMax, `upper end of ${bucket}`);
      assert.equal(middleOf(-bucket), -middle);
    }
  }
});

test('zero and subnormal numbers are the zero bucket, infinities and NaN have none', () => {
  for (const value of [0, -0, 5e-324, -5e-324, smallestNormal * (1 - Number.EPSILON)]) {
    assert.equal(bucketOf(value), 0, String(value));
  }
  assert.equal(bucketOf(smallestNormal), stepsPerOctave);
  assert.equal(middleOf(0), 0);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    assert.throws(() => bucketOf(value));
  }
});

test('octaves are given up by magnitude, of one magnitude the negative first', () => {
  const order = [0, -1, 1, -2, 2, -2046, 2046].map(rankOfOctave);
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(order).size, order.length);
});

/** Doubles of all magnitudes alike. */
const anyNormal = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .filter((value) => Math.abs(value) >= smallestNormal);

holds(
  'the middle of its bucket is within 0.5 % of any number',
  fc.property(anyNormal, (value) => {
    const bucket = bucketOf(value);
    assert.ok(Math.abs(middleOf(bucket) - value) <= relativeErrorMax * Math.abs(value));
    assert.equal(Math.sign(octaveOf(bucket)), Math.sign(value));
  }),
);

holds(
  'a larger number never has a lower bucket',
  fc.property(anyNormal, anyNormal, (a, b) => {
    const [low, high] = a < b ? [a, b] : [b, a];
    assert.ok(bucketOf(low) <= bucketOf(high));
  }),
);
