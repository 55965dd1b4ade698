// Group 11, statistics: documented samples, nearest rank by its definition, and variance in two
// passes.

import { equal, exactly, near, that } from '../expectations.ts';
import { nearestRank, twoPassVariance } from '../oracles.ts';
import { numbers, series } from '../series.ts';
import type { Group } from './group.ts';

export const statisticsGroup: Group = {
  name: 'statistics',
  check({ statistics }, i) {
    const least = 1 + (i % 5);
    exactly('mean', statistics.mean([least, least + 1, least + 2]), least + 1);
    exactly(
      'median of an even count',
      statistics.median([least + 3, least, least + 1, least + 2]),
      least + 1.5,
    );
    const four = [i % 11, (7 * i) % 11, (5 * i) % 11, (3 * i) % 11];
    that('a percentile', statistics.percentile(four, 50) >= 0);
    equal(
      'the second smallest of four',
      statistics.percentile(four, 50),
      four.toSorted((a, b) => a - b)[1],
    );
    equal('windows of two', statistics.moving_average(four, 2).length, 3);
    equal('cells', statistics.generate_heatmap([{ x: 1, y: 1, weight: 2 }], 2, 3).length, 6);

    near('weighted mean', statistics.weighted_mean([10, 20, 30], [1, 2, 3]), 23.333);
    near('moving to the middle', statistics.exponential_moving_average(10, 20, 0.5), 15);
    const alpha = (i % 5) / 4;
    exactly(
      'the weight is of the new value',
      statistics.exponential_moving_average(0, 8, alpha),
      8 * alpha,
    );
    exactly('a place in the span', statistics.min_max_normalize(i % 10, 0, 10) * 10, i % 10);
    const root = 1 + (i % 3);
    const squares = root ** 2 + (root + 1) ** 2 + (root + 2) ** 2;
    equal('sum of squares', statistics.sum_of_squares([root, root + 1, root + 2]), squares);
    const old = 100 + (i % 50);
    exactly('rate of change', statistics.rate_of_change(old, 1.5 * old), 0.5);
    const value = 80 + (i % 20);
    exactly('z-score', statistics.z_score(value, 70, 10) * 10, value - 70);
    equal('running totals', statistics.cumulative_sum([least, least, least]), [
      least,
      2 * least,
      3 * least,
    ]);
    const warming = statistics.running_variance([10, 20, 30 + (i % 7)], 3);
    near('variance while warming up', warming[1] ?? null, 50);
    equal('of a single value', warming[0], 0);
    const start = 1 + (i % 3);
    equal('rising', statistics.detect_trend([start, start + 10, start + 20], 0.5), 'rising');
    equal('falling', statistics.detect_trend([start + 20, start + 10, start], 0.5), 'falling');

    checkAnySample(statistics, i);
  },
};

type Statistics = Parameters<Group['check']>[0]['statistics'];

function checkAnySample(statistics: Statistics, i: number): void {
  const next = series(i);
  const sample = numbers(next, 2 + next(9), 41, -20);
  const pct = i % 101;
  equal('nearest rank', statistics.percentile(sample, pct), nearestRank(sample, pct));
  exactly('variance in two passes', statistics.variance(sample), twoPassVariance(sample));
  const deviation = statistics.stddev(sample);
  exactly('the deviation is its root', deviation * deviation, twoPassVariance(sample));
  const window = 1 + (i % 4);
  const running = statistics.running_variance(sample, window);
  equal('one running variance for each', running.length, sample.length);
  running.forEach((variance, at) => {
    const slice = sample.slice(Math.max(0, at - window + 1), at + 1);
    exactly('running variance', variance, twoPassVariance(slice));
  });
  const doubled = sample.map((each) => 3 - 2 * each);
  exactly(
    'covariance with itself',
    statistics.covariance(sample, doubled),
    -2 * twoPassVariance(sample),
  );
  const correlation = twoPassVariance(sample) === 0 ? 0 : -1;
  exactly('correlation with its mirror', statistics.correlation(sample, doubled), correlation);
  const tracker = statistics.ResponseTimeTracker(5);
  for (const each of sample) tracker.record(each);
  equal('the tracker holds its window', tracker.count(), Math.min(5, sample.length));
  equal('and ranks in it', tracker.p95(), nearestRank(sample.slice(-5), 95));
}
