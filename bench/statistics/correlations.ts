// The correlation of every pair of 512 series of 1000 samples, beside the plain loop over the pairs.
import { seededRandom } from '../../src/base/random.ts';
import { correlation } from '../../src/core/statistics/association.ts';
import { correlationMatrix } from '../../src/core/statistics/correlation-matrix.ts';
import { normal } from '../../src/core/statistics/distributions.test-support.ts';
import { median } from '../harness/statistics.ts';
import type { Peers } from './peers.ts';
import { elapsedMs } from './updates.ts';

export const seriesCount = 512;
export const seriesLength = 1000;
export const correlationRounds = 5;
/** Pairs measured singly: the peer takes too long for all of them. */
const singlePairs = 2000;

function relatedSeries(): readonly Float64Array[] {
  const random = seededRandom(512_1000);
  const common = new Float64Array(seriesLength).map(() => normal(random));
  return Array.from({ length: seriesCount }, (_, at) =>
    common.map((value) => 100 + ((at % 7) * value) / 4 + normal(random)),
  );
}

/** What anyone writes first: for each pair one pass for the means and one for the products. */
function naiveMatrix(series: readonly Float64Array[]): Float64Array {
  const size = series.length;
  const matrix = new Float64Array(size * size);
  for (let row = 0; row < size; row += 1) {
    for (let column = row; column < size; column += 1) {
      const value = naiveCorrelation(series[row] ?? noSeries, series[column] ?? noSeries);
      matrix[row * size + column] = value;
      matrix[column * size + row] = value;
    }
  }
  return matrix;
}

const noSeries = new Float64Array(0);

function naiveCorrelation(xs: Float64Array, ys: Float64Array): number {
  let sumX = 0;
  let sumY = 0;
  for (let at = 0; at < xs.length; at += 1) {
    sumX += xs[at] ?? 0;
    sumY += ys[at] ?? 0;
  }
  const meanX = sumX / xs.length;
  const meanY = sumY / ys.length;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let at = 0; at < xs.length; at += 1) {
    const x = (xs[at] ?? 0) - meanX;
    const y = (ys[at] ?? 0) - meanY;
    xx += x * x;
    yy += y * y;
    xy += x * y;
  }
  return xy / Math.sqrt(xx * yy);
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? Number.NaN))), 0);
}

/** Microseconds for each of `singlePairs` pairs. */
function pairCost(
  series: readonly Float64Array[],
  correlate: (xs: Float64Array, ys: Float64Array) => number,
): number {
  const ms = elapsedMs(() => {
    for (let at = 0; at < singlePairs; at += 1) {
      correlate(series[at % seriesCount] ?? noSeries, series[(7 * at) % seriesCount] ?? noSeries);
    }
  });
  return (ms * 1000) / singlePairs;
}

/** Figures of the matrix and of single pairs, all in turn. */
export function correlationCosts({ simple }: Peers): Readonly<Record<string, number>> {
  const series = relatedSeries();
  const samples: Record<string, number[]> = {
    matrix: [],
    naive: [],
    ratio: [],
    pair: [],
    peer: [],
  };
  let difference = 0;
  for (let round = 0; round <= correlationRounds; round += 1) {
    let found: Float64Array = noSeries;
    let expected: Float64Array = noSeries;
    const matrix = elapsedMs(() => {
      found = correlationMatrix(series);
    });
    const naive = elapsedMs(() => {
      expected = naiveMatrix(series);
    });
    difference = Math.max(difference, largestDifference(found, expected));
    const pair = pairCost(series, correlation);
    const peer = simple === undefined ? Number.NaN : pairCost(series, peerCorrelation(simple));
    if (round === 0) continue;
    const figures = { matrix, naive, ratio: matrix / naive, pair, peer };
    for (const [name, value] of Object.entries(figures)) samples[name]?.push(value);
  }
  const middle = (name: string) => median(samples[name] ?? []);
  return {
    correlation_512x1000_ms: middle('matrix'),
    correlation_naive_ms: middle('naive'),
    correlation_ratio_naive: middle('ratio'),
    correlation_max_difference: difference,
    correlation_pair_us: middle('pair'),
    ...(simple === undefined ? {} : { simple_statistics_correlation_pair_us: middle('peer') }),
  };
}

/** It is typed for plain arrays and reads no more than index and length. */
function peerCorrelation(simple: NonNullable<Peers['simple']>) {
  const plain = new Map<Float64Array, number[]>();
  const plainOf = (series: Float64Array): number[] => {
    const known = plain.get(series) ?? Array.from(series);
    plain.set(series, known);
    return known;
  };
  return (xs: Float64Array, ys: Float64Array): number =>
    simple.sampleCorrelation(plainOf(xs), plainOf(ys));
}
