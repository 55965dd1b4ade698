// Goal: p50, p95 and p99 are within 1 % of the exact nearest rank on every distribution of CP D.3,
// at 1, 2, 10 and a million values, and so are those of shards that are merged. Method: the table
// of distributions from a fixed seed; what is asserted is the guarantee of 0.5 %.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributions, sampleOf } from './distributions.test-support.ts';
import { relativeErrorMax } from './log-buckets.ts';
import { LogSketch } from './log-sketch.ts';
import { percentileOfRanked, ranked } from './percentile.ts';

const percents = [50, 95, 99];
const shards = 8;

for (const distribution of distributions) {
  test(`${distribution.name}: p50, p95 and p99 are within 0.5 % at every size`, () => {
    for (const n of [1, 2, 10, 1000, 1_000_000]) {
      const sample = sampleOf(distribution, n);
      const parts = Array.from({ length: shards }, () => new LogSketch());
      sample.forEach((value, at) => {
        parts[at % shards]?.add(value);
      });
      const whole = new LogSketch();
      for (const part of parts) whole.merge(part);
      const ascending = ranked(sample);
      for (const pct of percents) {
        const exact = percentileOfRanked(ascending, pct);
        const found = whole.quantile(pct / 100);
        const error = Math.abs(found - exact) / Math.abs(exact);
        assert.ok(error <= relativeErrorMax, `p${pct} of ${n}: ${found}, not ${exact}`);
      }
      assert.deepEqual([whole.min, whole.max], [ascending[0], ascending.at(-1)]);
    }
  });
}
