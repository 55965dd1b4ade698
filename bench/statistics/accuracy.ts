// How far the quantiles of each sketch lie from the exact nearest rank, and how large ours gets.
import { seededRandom } from '../../src/base/random.ts';
import {
  type Distribution,
  distributions,
  sampleOf,
} from '../../src/core/statistics/distributions.test-support.ts';
import { LogSketch } from '../../src/core/statistics/log-sketch.ts';
import { percentileOfRanked, ranked } from '../../src/core/statistics/percentile.ts';
import type { Peers } from './peers.ts';

export const percents: readonly number[] = [50, 95, 99];
export const sizes: readonly number[] = [1, 2, 10, 1_000_000];
export const largeCount = 10_000_000;

const ownError = 'sketch_max_error';

type Quantiles = { readonly add: (value: number) => void; readonly at: (share: number) => number };

/** New, empty sketches by the name of their error. */
function sketches({ datadog, digest }: Peers): ReadonlyMap<string, () => Quantiles> {
  const all = new Map<string, () => Quantiles>();
  all.set(ownError, () => {
    const sketch = new LogSketch();
    return { add: (value) => sketch.add(value), at: (share) => sketch.quantile(share) };
  });
  if (datadog !== undefined) {
    all.set('datadog_max_error', () => {
      const sketch = new datadog();
      return {
        add: (value) => sketch.accept(value),
        at: (share) => sketch.getValueAtQuantile(share),
      };
    });
  }
  if (digest !== undefined) {
    all.set('tdigest_max_error', () => {
      const sketch = new digest();
      return { add: (value) => sketch.push(value), at: (share) => sketch.percentile(share) };
    });
  }
  return all;
}

/**
 * The largest relative error of each sketch over all distributions and percentiles; ours at every
 * size, the peers' at the largest only, since they count ranks differently and that would be all
 * that two or ten values show.
 */
export function largestErrors(
  peers: Peers,
  say: (line: string) => void,
): Readonly<Record<string, number>> {
  const largest: Record<string, number> = {};
  for (const distribution of distributions) {
    for (const size of sizes) {
      const sample = sampleOf(distribution, size);
      const ascending = ranked(sample);
      for (const [name, make] of sketches(peers)) {
        if (name !== ownError && size !== sizes.at(-1)) continue;
        const error = errorOf(make(), sample, ascending);
        largest[name] = Math.max(largest[name] ?? 0, error);
        if (size === sizes.at(-1)) say(`${distribution.name}: ${name} ${error.toFixed(5)}`);
      }
    }
  }
  return largest;
}

function errorOf(sketch: Quantiles, sample: Float64Array, ascending: Float64Array): number {
  for (const value of sample) sketch.add(value);
  const errors = percents.map((pct) => {
    const exact = percentileOfRanked(ascending, pct);
    return Math.abs((sketch.at(pct / 100) - exact) / exact);
  });
  return Math.max(...errors);
}

/** Bytes of the serialised sketch after ten million values, the largest of all distributions. */
export function largestBytes(say: (line: string) => void): number {
  const bytes = distributions.map((distribution) => {
    const length = bytesAfter(distribution, largeCount);
    say(`${distribution.name}: ${length} bytes`);
    return length;
  });
  return Math.max(...bytes);
}

function bytesAfter(distribution: Distribution, count: number): number {
  const random = seededRandom(count);
  const sketch = new LogSketch();
  for (let at = 0; at < count; at += 1) sketch.add(distribution.value(random, at, count));
  return sketch.toBytes().length;
}
