// Bench `statistics`: what an update, a query and a correlation matrix cost beside the libraries
// that offer the same, and how exact and how large the sketch is. One process, one thread, all
// contenders in turn.
import { loadavg } from 'node:os';
import { seededRandom } from '../../src/base/random.ts';
import { normal } from '../../src/core/statistics/distributions.test-support.ts';
import { relativeErrorMax } from '../../src/core/statistics/log-buckets.ts';
import type { Benchmark, BenchmarkContext, Measured } from '../harness/benchmark.ts';
import { rounded } from '../harness/statistics.ts';
import { largeCount, largestBytes, largestErrors, percents, sizes } from './accuracy.ts';
import { correlationCosts, correlationRounds, seriesCount, seriesLength } from './correlations.ts';
import { loadPeers } from './peers.ts';
import { queryCosts, rankedCount } from './queries.ts';
import {
  lateUpdateRatio,
  trackerLargeWindow,
  trackerWindow,
  updateCosts,
  updateRounds,
  updatesPerRound,
} from './updates.ts';

export const statisticsBenchmark: Benchmark = {
  name: 'statistics',
  words: 'cost of updates, queries and correlations beside other libraries, error, size',
  targets: {
    sketch_add_ns: { op: '<=', value: 25 },
    sketch_max_error: { op: '<=', value: 0.01 },
    sketch_bytes: { op: '<=', value: 16_384 },
    correlation_512x1000_ms: { op: '<=', value: 60 },
    correlation_ratio_naive: { op: '<=', value: 0.5 },
    tracker_add_ns: { op: '<=', value: 10 },
  },
  run,
};

const digits = 3;
const smallDigits = 6;

async function run({ say }: BenchmarkContext): Promise<Measured> {
  const loadBefore = loadavg()[0] ?? 0;
  const peers = await loadPeers();
  const values = latencies(updatesPerRound);
  say(`updates: ${updateRounds} rounds of ${updatesPerRound}`);
  const updates = updateCosts(values, peers);
  const lateRatio = lateUpdateRatio(values);
  say(`queries and ${seriesCount} x ${seriesLength} correlations`);
  const queries = queryCosts(values, peers);
  const correlations = correlationCosts(peers);
  const errors = largestErrors(peers, say);
  const bytes = largestBytes(say);
  return {
    metrics: {
      ...roundedAll(updates),
      sketch_add_late_ratio: rounded(lateRatio, digits),
      ...roundedAll(queries),
      ...roundedAll(correlations),
      ...roundedAll(errors),
      sketch_bytes: bytes,
    },
    config: {
      rounds: updateRounds,
      updates_per_round: updatesPerRound,
      values: 'latencies in ms: log-normal, sigma 0.7, median 80; one in a hundred 30 times that',
      tracker_window: trackerWindow,
      tracker_large_window: trackerLargeWindow,
      sketch_relative_error: relativeErrorMax,
      datadog_relative_error: 0.01,
      hdr_digits: 2,
      correlation_rounds: correlationRounds,
      error_sizes: sizes,
      error_sizes_of_peers: sizes.slice(-1),
      error_percentiles: percents,
      bytes_after: largeCount,
      percentile_of: rankedCount,
      load_average: rounded(loadBefore, 2),
    },
    missing: peers.missing,
  };
}

/** A figure below 0.1 keeps its digits. */
function roundedAll(figures: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => {
      if (value !== 0 && value < 1e-6) return [name, value] as const;
      return [name, rounded(value, value < 0.1 ? smallDigits : digits)] as const;
    }),
  );
}

/** Times to the first byte as a gateway sees them, in milliseconds. */
function latencies(count: number): Float64Array {
  const random = seededRandom(20_261_121);
  return new Float64Array(count).map(() => {
    const usual = 80 * Math.exp(0.7 * normal(random));
    return random.nextBelow(100) === 0 ? 30 * usual : usual;
  });
}
