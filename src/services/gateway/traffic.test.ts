// Goal: reports of several threads become one series, one set of figures, one list of decisions,
// each bounded; and the text of the figures is what Prometheus reads.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LogSketch } from '../../core/statistics/log-sketch.ts';
import type { PlainSketch } from '../../core/statistics/sketch-plain.ts';
import type { DecisionWire } from '../../protocol/control/schemas.ts';
import type { ThreadReport } from './messages.ts';
import { firstByteSeconds } from './thread-metrics.ts';
import { Traffic } from './traffic.ts';

function report(more: Partial<ThreadReport> = {}): ThreadReport {
  return {
    type: 'report',
    thread: 0,
    finished: 0,
    failed: 0,
    outcomes: { requests: 0, failures: 0, slow: 0 },
    journal: undefined,
    firstByte: undefined,
    firstToken: undefined,
    metrics: [],
    decisions: [],
    served: [],
    usage: [],
    lastUsed: [],
    rejections: [],
    shadows: undefined,
    ...more,
  };
}

function latencies(...ms: readonly number[]): PlainSketch {
  const sketch = new LogSketch();
  for (const one of ms) sketch.add(one);
  return sketch.toPlain();
}

function decision(id: string): DecisionWire {
  return {
    decision_id: `${id}.1`,
    request_id: id,
    at: '2026-01-01T00:00:00.000Z',
    path: '/v1/chat/completions',
    key_id: 'key_a',
    group_name: 'admin',
    model: 'm',
    served_model: 'm',
    backend_id: 'a',
    reason: 'only_healthy_backend',
    route_reason: 'capability-match',
    attempts: 1,
    stream: false,
    status: 200,
    code: null,
    first_byte_ms: 1,
    total_ms: 2,
    overhead_ms: 1,
    selected_latency_ms: null,
    minimum_latency_ms: null,
    candidates: [],
  };
}

describe('the series', () => {
  it('adds reports of one second up, leaves the present second out, and shows quiet seconds', () => {
    const traffic = new Traffic();
    traffic.add(report({ finished: 3, failed: 1, firstByte: latencies(20, 20) }), 100);
    traffic.add(report({ finished: 2, firstByte: latencies(20) }), 100);
    traffic.add(report({ finished: 5 }), 103);
    const series = traffic.series(103);
    assert.deepEqual(
      series.map(({ t, requests, failed }) => [t, requests, failed]),
      [
        [100, 5, 1],
        [101, 0, 0],
        [102, 0, 0],
      ],
    );
    assert.ok(Math.abs((series[0]?.first_byte_p50_ms ?? 0) - 20) < 1);
    assert.equal(series[1]?.first_byte_p95_ms, null);
    assert.deepEqual(traffic.series(104).at(-1)?.requests, 5);
  });

  it('quantiles of a window are those of all threads and seconds in it, with what they are worth', () => {
    const traffic = new Traffic();
    traffic.add(report({ firstByte: latencies(1000) }), 90);
    for (let ms = 1; ms <= 100; ms++) {
      traffic.add(report({ thread: ms % 2, firstByte: latencies(ms) }), 100 + (ms % 10));
    }
    const sketch = traffic.firstByte(10, 109);
    assert.deepEqual([sketch.count, sketch.min, sketch.max], [100, 1, 100]);
    for (const pct of [50, 95, 99]) {
      const { value, relativeError } = sketch.answer(pct / 100);
      assert.ok(Math.abs(value - pct) <= relativeError * pct, `${pct}: ${value}`);
    }
    assert.equal(traffic.firstByte(10, 500).count, 0);
    assert.equal(traffic.firstByte(60, 109).max, 1000);
  });

  it('holds five minutes and no more, also after a long silence', () => {
    const traffic = new Traffic();
    traffic.add(report({ finished: 1 }), 1000);
    traffic.add(report({ finished: 1 }), 1_000_000);
    assert.equal(traffic.series(1_000_000).length, 299);
    assert.equal(traffic.series(1_000_000)[0]?.requests, 0);
  });

  it('a clock that goes back a little adds to the newest second', () => {
    const traffic = new Traffic();
    traffic.add(report({ finished: 1 }), 100);
    traffic.add(report({ finished: 1 }), 99);
    assert.deepEqual(
      traffic.series(101).map(({ t, requests }) => [t, requests]),
      [[100, 2]],
    );
  });

  it('the recent share of failures looks back as far as it is asked to', () => {
    const traffic = new Traffic();
    traffic.add(report({ finished: 10, failed: 10 }), 100);
    traffic.add(report({ finished: 4, failed: 1 }), 130);
    assert.deepEqual(traffic.recent(30, 130), { requests: 4, errors: 1 });
    assert.deepEqual(traffic.recent(60, 130), { requests: 14, errors: 11 });
    assert.deepEqual(traffic.recent(60, 500), { requests: 0, errors: 0 });
    assert.deepEqual(traffic.totals, { total: 14, succeeded: 3, failed: 11 });
  });
});

describe('decisions', () => {
  it('are the newest hundred, newest first, found by decision and by request', () => {
    const traffic = new Traffic();
    const ids = Array.from({ length: 130 }, (_, i) => `r${i}`);
    traffic.add(report({ decisions: ids.slice(0, 70).map(decision) }), 1);
    traffic.add(report({ decisions: ids.slice(70).map(decision) }), 2);
    const newest = traffic.decisions(1000);
    assert.equal(newest.length, 100);
    assert.deepEqual([newest[0]?.request_id, newest[99]?.request_id], ['r129', 'r30']);
    assert.equal(traffic.decisions(3).length, 3);
    assert.equal(traffic.decision('r50.1')?.request_id, 'r50');
    assert.equal(traffic.decision('r50')?.decision_id, 'r50.1');
    assert.equal(traffic.decision('r29'), undefined);
  });
});

describe('the text of the figures', () => {
  it('sums counters of threads by their whole name and labels', () => {
    const traffic = new Traffic();
    const key = 'tensorforge_requests_total{model="m",backend="a",status="200"}';
    traffic.add(report({ metrics: [{ kind: 'counter', key, value: 2 }] }), 1);
    traffic.add(report({ thread: 1, metrics: [{ kind: 'counter', key, value: 3 }] }), 1);
    const lines = traffic.metricsText().split('\n');
    assert.ok(lines.includes(`${key} 5`));
    const at = lines.indexOf('# TYPE tensorforge_requests_total counter');
    assert.equal(lines[at + 1], `${key} 5`);
    assert.match(lines[at - 1] ?? '', /^# HELP tensorforge_requests_total /);
  });

  it('prints a histogram cumulative, with its labels beside le, its sum and its count', () => {
    const traffic = new Traffic();
    const key = 'tensorforge_time_to_first_byte_seconds{backend="a"}';
    const counts = [1, 0, 2, 0, 0, 4];
    assert.equal(counts.length, firstByteSeconds.length + 1);
    const delta = { kind: 'histogram', key, counts, sum: 12.5 } as const;
    traffic.add(report({ metrics: [delta] }), 1);
    traffic.add(report({ metrics: [delta] }), 1);
    const lines = traffic
      .metricsText()
      .split('\n')
      .filter((line) => line.startsWith('tensorforge_time_to_first_byte_seconds'));
    const bucket = (le: string, count: number): string =>
      `tensorforge_time_to_first_byte_seconds_bucket{backend="a",le="${le}"} ${count}`;
    assert.deepEqual(lines, [
      bucket('0.05', 2),
      bucket('0.1', 2),
      bucket('0.5', 6),
      bucket('1', 6),
      bucket('5', 6),
      bucket('+Inf', 14),
      'tensorforge_time_to_first_byte_seconds_sum{backend="a"} 25',
      'tensorforge_time_to_first_byte_seconds_count{backend="a"} 14',
    ]);
    assert.deepEqual(delta.counts, [1, 0, 2, 0, 0, 4]);
  });

  it('names every figure once, also before the first request', () => {
    const lines = new Traffic().metricsText().trim().split('\n');
    const types = lines.filter((line) => line.startsWith('# TYPE '));
    assert.equal(new Set(types).size, types.length);
    assert.equal(lines.length, types.length * 2);
  });
});
