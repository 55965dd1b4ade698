// Goal: a percentile read from buckets is near the one of the samples, and sums of threads add up.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { bucketCount, bucketMiddleMs, bucketOf, percentileMs } from './latency-buckets.ts';

function countsOf(samples: readonly number[]): Uint32Array {
  const counts = new Uint32Array(bucketCount);
  for (const sample of samples) counts[bucketOf(sample)] = (counts[bucketOf(sample)] ?? 0) + 1;
  return counts;
}

it('what is no latency or below the first bucket is in the first, what is above all in the last', () => {
  for (const ms of [0, -1, Number.NaN, 0.01]) assert.equal(bucketOf(ms), 0);
  for (const ms of [1e9, Number.POSITIVE_INFINITY]) assert.equal(bucketOf(ms), bucketCount - 1);
});

it('there is no percentile without samples', () => {
  assert.equal(percentileMs(new Uint32Array(bucketCount), 0.5), null);
});

it('a bucket’s middle is within half a bucket of everything in it, from 10 us to twenty minutes', () => {
  for (let ms = 0.011; ms < 1_200_000; ms *= 1.037) {
    const ratio = bucketMiddleMs(bucketOf(ms)) / ms;
    assert.ok(ratio > 2 ** (-1 / 16) - 1e-9 && ratio < 2 ** (1 / 16) + 1e-9, `${ms}: ${ratio}`);
  }
});

it('the nearest-rank percentile is within half a bucket of the true one', () => {
  const samples = fc.array(fc.double({ min: 0.02, max: 100_000, noNaN: true }), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(
    fc.property(samples, fc.constantFrom(0.01, 0.5, 0.95, 0.99, 1), (given, q) => {
      const sorted = [...given].sort((a, b) => a - b);
      const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? 0;
      const ratio = (percentileMs(countsOf(given), q) ?? 0) / exact;
      assert.ok(Math.abs(Math.log2(ratio)) <= 1 / 16 + 1e-9, `${ratio}`);
    }),
    { numRuns: 300, seed: 9 },
  );
});
