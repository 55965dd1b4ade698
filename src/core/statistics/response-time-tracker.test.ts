// Goal: up to 4096 samples the tracker equals percentile() of the newest samples; above, it stays
// within 0.5 % of the samples that it says to hold, in bounded memory (CP A.13, D.3). Method: long
// streams beside a plain array.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { seededRandom } from '../../base/random.ts';
import { normal } from './distributions.test-support.ts';
import { relativeErrorMax } from './log-buckets.ts';
import { paneCount } from './paned-window.ts';
import { percentile } from './percentile.ts';
import { exactWindowMax, ResponseTimeTracker } from './response-time-tracker.ts';

test('a tracker without samples answers 0, at any window', () => {
  for (const window of [1, 10, exactWindowMax, exactWindowMax + 1]) {
    const tracker = new ResponseTimeTracker(window);
    assert.deepEqual([tracker.count, tracker.p50(), tracker.p95(), tracker.p99()], [0, 0, 0, 0]);
  }
  for (const window of [0, -1, 2.5, Number.NaN]) {
    assert.throws(() => new ResponseTimeTracker(window), `window ${window}`);
  }
});

test('fractions are kept, what is not finite is dropped and counted', () => {
  for (const window of [3, 5000]) {
    const tracker = new ResponseTimeTracker(window);
    for (const value of [1.25, Number.NaN, Number.POSITIVE_INFINITY, 1.25]) tracker.add(value);
    assert.deepEqual([tracker.count, tracker.dropped, tracker.p50()], [2, 2, 1.25]);
  }
});

test('a sample changes percentiles that were asked for before', () => {
  const tracker = new ResponseTimeTracker(3);
  tracker.add(1);
  assert.equal(tracker.p99(), 1);
  tracker.add(9);
  assert.equal(tracker.p99(), 9);
  for (const value of [2, 2, 2]) tracker.add(value);
  assert.deepEqual([tracker.count, tracker.p99()], [3, 2], 'the 9 has left');
});

test('the largest exact window equals percentile() of the last 4096 samples', () => {
  const random = seededRandom(5);
  const tracker = new ResponseTimeTracker(exactWindowMax);
  const all: number[] = [];
  for (let at = 0; at < 20_000; at += 1) {
    const value = Math.exp(normal(random));
    all.push(value);
    tracker.add(value);
    if (at % 1999 !== 0) continue;
    const newest = all.slice(-exactWindowMax);
    assert.equal(tracker.count, newest.length);
    assert.deepEqual(
      [tracker.p50(), tracker.p95(), tracker.p99()],
      [50, 95, 99].map((pct) => percentile(newest, pct)),
    );
  }
});

test('a larger window holds 15 to 16 sixteenths of it and is within 0.5 % of those samples', () => {
  const window = 50_000;
  const pane = Math.ceil(window / paneCount);
  const random = seededRandom(6);
  const tracker = new ResponseTimeTracker(window);
  const all: number[] = [];
  for (let at = 1; at <= 200_000; at += 1) {
    // The level drifts, so that a window of the wrong length shows.
    const value = Math.exp(at / 40_000 + normal(random));
    all.push(value);
    tracker.add(value);
    if (at % 7919 !== 0) continue;
    assert.ok(tracker.count <= pane * paneCount);
    assert.ok(tracker.count > Math.min(at, window) - pane || tracker.count === at);
    const held = all.slice(-tracker.count);
    for (const pct of [50, 95, 99]) {
      const exact = percentile(held, pct);
      const error = Math.abs(tracker.percentile(pct) - exact) / exact;
      assert.ok(error <= relativeErrorMax, `p${pct} after ${at}: ${error}`);
    }
  }
});

test('what is older than the window is forgotten', () => {
  const window = 16_000;
  const tracker = new ResponseTimeTracker(window);
  for (let at = 0; at < window; at += 1) tracker.add(1000);
  for (let at = 0; at < window; at += 1) tracker.add(1);
  assert.equal(tracker.percentile(100), 1);
});

holds(
  'a small window equals percentile() of the newest samples after every sample',
  fc.property(
    fc.integer({ min: 1, max: 12 }),
    fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 40 }),
    (window, values) => {
      const tracker = new ResponseTimeTracker(window);
      values.forEach((value, at) => {
        tracker.add(value);
        const newest = values.slice(Math.max(0, at + 1 - window), at + 1);
        assert.equal(tracker.count, newest.length);
        assert.equal(tracker.p50(), percentile(newest, 50));
        assert.equal(tracker.p95(), percentile(newest, 95));
        assert.equal(tracker.p99(), percentile(newest, 99));
      });
    },
  ),
);
