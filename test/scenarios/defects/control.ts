// Defects of telemetry, policy and queue.

import { type Defect, planted } from './defect.ts';

export const controlDefects: readonly Defect[] = [
  planted('per millisecond', 'telemetry', 'throughput', () => (count, ms) => count / ms),
  planted('an alert is inclusive', 'telemetry', 'should_alert', () => (a, b) => a >= b),
  planted(
    'a priority is strict',
    'telemetry',
    'alert_priority',
    (sound) => (value, warn, critical) => {
      return sound(value - 1e-9, warn, critical);
    },
  ),
  planted(
    'a tolerance is strict',
    'telemetry',
    'is_within_threshold',
    () => (value, target, most) => {
      return Math.abs(value - target) < most;
    },
  ),
  planted('E.4: availability and performance swapped', 'telemetry', 'health_score', (sound) => {
    return (availability, performance) => sound(performance, availability);
  }),
  planted(
    'E.4: downtime for uptime',
    'telemetry',
    'uptime_percentage',
    (sound) => (total, down) => {
      return 100 - sound(total, down);
    },
  ),
  planted(
    'E.4: the rate upside down',
    'telemetry',
    'error_rate',
    () => (total, errors) => total / errors,
  ),
  planted('E.4: a sum for the mean', 'telemetry', 'aggregate_metrics', (sound) => (samples) => {
    const means = Object.entries(sound(samples));
    return Object.fromEntries(means.map(([name, mean]) => [name, mean * samples.length]));
  }),
  planted('10 ms is not fast', 'telemetry', 'latency_bucket', (sound) => (ms) => sound(ms + 1e-9)),
  planted(
    'C5: a burst of 2 does not escalate',
    'policy',
    'next_policy',
    (sound) => (mode, burst) => {
      return sound(mode, burst - 1);
    },
  ),
  planted('C5: a burst of 1 escalates', 'policy', 'next_policy', (sound) => (mode, burst) => {
    return sound(mode, burst + 1);
  }),
  planted('an escalation skips a mode', 'policy', 'next_policy', (sound) => (mode, burst) => {
    return sound(sound(mode, burst), burst);
  }),
  planted('an escalation wraps round', 'policy', 'next_policy', (sound) => (mode, burst) => {
    return mode === 'halted' ? 'normal' : sound(mode, burst);
  }),
  planted(
    'a rate at the threshold escalates',
    'policy',
    'escalation_needed',
    () => (rate, threshold) => {
      return rate >= threshold;
    },
  ),
  planted(
    'grace is strict',
    'policy',
    'within_grace_period',
    () => (elapsed, grace) => elapsed < grace,
  ),
  planted(
    'the cooldown reads the clock, not what elapsed',
    'policy',
    'escalation_with_cooldown',
    (sound) => {
      return (mode, burst, _last, now, cooldown) => sound(mode, burst, 0, now, cooldown);
    },
  ),
  planted('a cooldown that is over still blocks', 'policy', 'escalation_with_cooldown', (sound) => {
    return (mode, burst, last, now, cooldown) => sound(mode, burst, last, now - 1, cooldown);
  }),
  planted('the history tells what was no change', 'policy', 'PolicyEngine', (sound) => () => {
    const engine = sound();
    return { ...engine, history: () => [...engine.history(), ...engine.history().slice(-1)] };
  }),
  planted(
    'the queue is shed at its limit',
    'queue',
    'should_shed',
    (sound) => (depth, limit, emergency) => {
      return depth >= limit || sound(depth, limit, emergency);
    },
  ),
  planted(
    'in an emergency shed above 80 %',
    'queue',
    'should_shed',
    (sound) => (depth, limit, emergency) => {
      return sound(emergency ? depth - 1 : depth, limit, emergency);
    },
  ),
  planted(
    'C6: pressure is not held',
    'queue',
    'queue_pressure',
    () => (depth, limit) => depth / limit,
  ),
  planted(
    'a state of health begins above its edge',
    'queue',
    'queue_health',
    (sound) => (depth, limit) => {
      const { status } = sound(depth - 1e-9, limit);
      return { ...sound(depth, limit), status };
    },
  ),
  planted('a full queue puts out the least', 'queue', 'PriorityQueue', (sound) => (limit) => {
    const queue = sound(limit + 1);
    const { drain } = queue;
    return Object.assign(queue, { drain: () => drain().slice(0, limit) });
  }),
  planted('equals leave last in, first out', 'queue', 'PriorityQueue', (sound) => (limit) => {
    const queue = sound(limit);
    const { drain } = queue;
    const turned = () =>
      drain()
        .reverse()
        .sort((a, b) => b.priority - a.priority);
    return Object.assign(queue, { drain: turned });
  }),
  planted(
    'attempts are counted for acceptances',
    'queue',
    'batch_enqueue',
    (sound) => (queue, items) => {
      sound(queue, items);
      return items.length;
    },
  ),
  planted(
    'a bucket is judged before it is refilled',
    'queue',
    'RateLimiter',
    (sound) => (capacity, rate) => {
      const bucket = sound(capacity, rate);
      const try_acquire = (now: number) => bucket.available() >= 1 && bucket.try_acquire(now);
      return { ...bucket, try_acquire };
    },
  ),
  planted('a batch takes what there is', 'queue', 'RateLimiter', (sound) => (capacity, rate) => {
    const bucket = sound(capacity, rate);
    const try_acquire_batch = (count: number, now: number) =>
      bucket.try_acquire_batch(Math.min(count, Math.floor(bucket.available())), now);
    return { ...bucket, try_acquire_batch };
  }),
];
