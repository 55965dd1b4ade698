// Goal: the streaming mean keeps its digits however long it runs and whatever passes through it
// (CP D.3). Method: hostile series against the mean of the window in exact arithmetic, and the
// function of A.13.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { seededRandom } from '../../base/random.ts';
import { MovingAverage } from './moving-average.ts';
import { movingAverage } from './series.ts';

/** The mean of doubles as if rounded once: they are all multiples of 2^-1074. */
function exactMean(values: readonly number[]): number {
  const scale = 2 ** 60;
  const sum = values.reduce((total, value) => total + BigInt(value * scale), 0n);
  return Number(sum) / scale / values.length;
}

test('it warms up as the mean of what there is', () => {
  const average = new MovingAverage(3);
  assert.equal(average.mean, 0, 'before the first');
  const means = [1, 2, 6, 10, 14].map((value) => {
    average.add(value);
    return [average.count, average.mean];
  });
  assert.deepEqual(means, [
    [1, 1],
    [2, 1.5],
    [3, 3],
    [3, 6],
    [3, 10],
  ]);
  assert.throws(() => new MovingAverage(0));
  assert.throws(() => new MovingAverage(2.5));
});

test('a huge value takes nothing with it when it leaves', () => {
  const average = new MovingAverage(4);
  for (const value of [1, 2, 3, 1e300, 1, 2, 3, 4]) average.add(value);
  assert.equal(average.mean, 2.5);
  for (const value of [Number.NaN, 5, Number.POSITIVE_INFINITY, 6]) average.add(value);
  assert.ok(Number.isNaN(average.mean));
  for (const value of [7, 8, 9]) average.add(value);
  assert.equal(average.mean, 7.5);
});

test('the sum of what is left of the old values is compensated as well', () => {
  const average = new MovingAverage(5);
  for (const value of [7, 1e16, 1, 1, -1e16, 3]) average.add(value);
  assert.equal(average.mean, 1);
});

test('infinity propagates as itself, and only while it is in the window', () => {
  const average = new MovingAverage(2);
  const means = [1, Number.POSITIVE_INFINITY, 2, 3].map((value) => {
    average.add(value);
    return average.mean;
  });
  const { POSITIVE_INFINITY: infinity } = Number;
  assert.deepEqual(means, [1, infinity, infinity, 2.5]);
});

test('after a million values the mean is as exact as at the start', () => {
  const random = seededRandom(3);
  const window = 100;
  const average = new MovingAverage(window);
  const newest: number[] = [];
  for (let at = 0; at < 1_000_000; at += 1) {
    const value = 1e6 + (random.nextUint32() % 1000) / 1024;
    average.add(value);
    if (at >= 1_000_000 - window) newest.push(value);
  }
  assert.ok(Math.abs(average.mean / exactMean(newest) - 1) <= 1e-15);
});

holds(
  'it equals the exact mean of the window to 1e-12 of its largest value, and movingAverage to 1e-9',
  fc.property(
    fc.array(
      fc.oneof(
        fc.integer({ min: -1000, max: 1000 }).map((value) => value / 8),
        fc.constantFrom(1e15, -1e15, 1e12, 0),
      ),
      { minLength: 1, maxLength: 40 },
    ),
    fc.integer({ min: 1, max: 8 }),
    (values, window) => {
      const average = new MovingAverage(window);
      const means = values.map((value, at) => {
        average.add(value);
        const slice = values.slice(Math.max(0, at - window + 1), at + 1);
        const largest = Math.max(...slice.map(Math.abs));
        assert.ok(Math.abs(average.mean - exactMean(slice)) <= 1e-12 * largest);
        return average.mean;
      });
      const full = movingAverage(values, window);
      full.forEach((mean, at) => {
        const streamed = means[Math.min(window, values.length) - 1 + at] ?? Number.NaN;
        assert.ok(Math.abs(streamed - mean) <= 1e-9 * Math.abs(mean));
      });
    },
  ),
);
