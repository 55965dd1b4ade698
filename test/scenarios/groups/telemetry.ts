// Group 3, telemetry: documented samples, the formulas to the last digits, and both edges of every
// bucket.

import { equal, exactly, near, that } from '../expectations.ts';
import type { Group } from './group.ts';

export const telemetryGroup: Group = {
  name: 'telemetry',
  check({ telemetry }, i) {
    const [total, errors] = [100 + (i % 50), 5 + (i % 5)];
    near('error rate', telemetry.error_rate(total, errors), errors / total);
    exactly('error rate as a share', telemetry.error_rate(total, errors) * total, errors);

    const count = 1000 + (i % 500);
    near('throughput per second', telemetry.throughput(count, 2000), count / 2);
    exactly('throughput to the last digit', telemetry.throughput(count, 2000) * 2, count);

    const value = 9.5 + 0.1 * (i % 3);
    that('within the tolerance', telemetry.is_within_threshold(value, 10, 1));
    that('the tolerance is inclusive', telemetry.is_within_threshold(11, 10, 1));
    equal('and ends there', telemetry.is_within_threshold(value + 2, 10, 1), false);

    const seconds = 1000 + (i % 200);
    const uptime = telemetry.uptime_percentage(seconds, 100);
    near('uptime', uptime, ((seconds - 100) / seconds) * 100);
    exactly('uptime and downtime make the whole', uptime + 10_000 / seconds, 100);

    const edges = [10, 11, 99, 100].map((ms) => telemetry.latency_bucket(ms));
    equal('edges of the latency buckets', edges, ['fast', 'medium', 'medium', 'slow']);

    near('health of full availability at half speed', telemetry.health_score(1, 0.5), 0.8);
    const [availability, performance] = [(i % 101) / 100, (i % 37) / 36];
    exactly(
      'health weighs six to four',
      telemetry.health_score(availability, performance) * 10,
      6 * availability + 4 * performance,
    );

    that('above the threshold alerts', telemetry.should_alert(90 + (i % 5), 80));
    equal('the threshold itself does not', telemetry.should_alert(80, 80), false);
    const levels = [79, 80, 94, 95].map((load) => telemetry.alert_priority(load, 80, 95));
    equal('priorities are inclusive', levels, ['ok', 'warning', 'warning', 'critical']);

    const samples = [50 + (i % 10), 70 + (i % 10)].map((each) => {
      return { name: 'latency_ms', value: each, timestamp: i };
    });
    const means = telemetry.aggregate_metrics(samples);
    equal('a mean, no sum', means, { latency_ms: 60 + (i % 10) });
  },
};
