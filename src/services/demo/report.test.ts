// Goal: the report adds up, tells every missed goal, and passes only without one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childEnvironment } from './children.ts';
import { metricSum } from './control-plane.ts';
import type { DecisionReplay } from './decision-replay.ts';
import { demoEngines } from './engines.ts';
import type { FleetLook } from './fleet-look.ts';
import type { Kill } from './kill-moment.ts';
import { planOf, usualScaling } from './load-plan.ts';
import type { Outcome } from './outcome.ts';
import { type ReportInput, reportOf } from './report.ts';
import { reportJson } from './report-json.ts';
import { grouped, reportLines } from './report-text.ts';

function outcome(index: number, more: Partial<Outcome> = {}): Outcome {
  return {
    index,
    stream: true,
    kind: 'ok',
    words: '',
    backend: 'sim-fast',
    attempts: 1,
    overheadMs: 0.5,
    startedMs: 1000,
    firstContentMs: 1000 + index,
    endedMs: 3000,
    ...more,
  };
}

const kill: Kill = {
  engine: 'sim-big',
  atMs: 2000,
  engineStreams: 3,
  engineSilent: 3,
  clientStreams: [1, 2, 3],
  lookedMs: 1,
  addedRequests: 0,
};

const fleet: FleetLook = {
  engine: 'sim-big',
  routable: false,
  verdict: 'Takes no requests for 12 s: connection failed: refused.',
  probes: '4 failed in a row, next probe in 20 s',
  closed: ['health'],
};

const again: DecisionReplay = {
  decisions: 45,
  requests: 22,
  divergences: 0,
  faults: 0,
  skipped: 0,
  seconds: 0.1,
  changed: 9,
  shifts: [
    { backend: 'sim-fast', recorded: 17, candidate: 8 },
    { backend: 'sim-big', recorded: 3, candidate: 12 },
  ],
};

/** Three cut streams of the killed engine, three requests that failed over, fourteen more. */
function input(more: Partial<ReportInput> = {}): ReportInput {
  const outcomes: Outcome[] = [];
  for (let i = 1; i <= 20; i++) {
    if (i <= 3) outcomes.push(outcome(i, { kind: 'cut', backend: 'sim-big' }));
    else outcomes.push(outcome(i, i <= 6 ? { attempts: 2 } : {}));
  }
  return {
    seed: 7,
    plan: planOf('a test', [], usualScaling),
    engines: demoEngines,
    cores: 2,
    outcomes,
    kill,
    notKilled: undefined,
    queueMaxima: { 'sim-fast': 0, 'sim-big': 4, 'sim-slow': 0 },
    gateway: { failovers: 3, streamsCut: 3 },
    again,
    fleet,
    clientLagP99Ms: 3,
    wallS: 58,
    ...more,
  };
}

const look = { kept: undefined };

test('a run in which everything held passes, and its figures add up', () => {
  const report = reportOf(input());
  assert.deepEqual(report.missed, []);
  assert.deepEqual(
    [report.requests, report.ok, report.cutStreams, report.failedBeforeFirstByte, report.broken],
    [20, 17, 3, 0, 0],
  );
  assert.equal(report.failedOver, 3);
  assert.deepEqual(
    report.shares.map(({ backend, answered }) => [backend, answered]),
    [
      ['sim-fast', 17],
      ['sim-big', 3],
      ['sim-slow', 0],
    ],
  );
  assert.deepEqual(report.ttftMs, { count: 20, p50: 10, p95: 19, p99: null });
  assert.deepEqual(report.totalS, { count: 17, p50: 2, p95: null, p99: null });
});

test('each goal that was missed is told', () => {
  const { outcomes } = input();
  const failed = outcome(21, { kind: 'failed', words: '503 none', backend: undefined });
  const broken = outcome(22, { kind: 'broken', words: '0 [DONE] marks' });
  const cases: readonly (readonly [Partial<ReportInput>, RegExp])[] = [
    [{ outcomes: [...outcomes, failed] }, /^failed_before_first_byte 1, must be 0$/],
    [{ outcomes: [...outcomes, broken] }, /^broken answers 1, must be 0$/],
    [
      { outcomes: outcomes.slice(1), gateway: { failovers: 3, streamsCut: 2 } },
      /^cut_streams 2, must be 3, the streams that ran on sim-big at the kill$/,
    ],
    [{ gateway: { failovers: 3, streamsCut: 4 } }, /^the gateway counts 4 cut streams/],
    [{ gateway: { failovers: 9, streamsCut: 3 } }, /^the gateway counts 9 failovers/],
    [{ fleet: { ...fleet, routable: true } }, /^the registry would still send requests to sim-big/],
    [{ again: { ...again, divergences: 1 } }, /^1 decisions differ when they are made again/],
    [{ again: { ...again, faults: 1 } }, /^the decision log has 1 damaged places and 0 records/],
    [{ again: { ...again, skipped: 2 } }, /^the decision log has 0 damaged places and 2 records/],
    [{ again: { ...again, requests: 19 } }, /^the decision log holds 19 of 20 requests/],
  ];
  for (const [more, expected] of cases) {
    const report = reportOf(input(more));
    assert.equal(report.missed.length, 1, report.missed.join('; '));
    assert.match(report.missed[0] ?? '', expected);
    assert.match(reportLines(report, look, false).at(-1) ?? '', /1 goal missed/);
    assert.equal(reportJson(report, look)['passed'], false);
  }
});

test('a run without a kill does not pass, whatever else held', () => {
  const outcomes = [outcome(1), outcome(2)];
  const gateway = { failovers: 0, streamsCut: 0 };
  const notKilled = 'no engine was killed: the moment did not come';
  const report = reportOf(input({ outcomes, gateway, kill: undefined, notKilled }));
  assert.deepEqual(report.missed, [notKilled]);
});

test('the report in words names its seed, says that engines are simulated, and shows no colour unasked', () => {
  const text = reportLines(reportOf(input()), look, false).join('\n');
  assert.match(text, /\(seed 7\), 3 SIMULATED engines, 2 cores/);
  assert.match(text, /failed_before_first_byte 0 · failed over 3 · cut_streams 3 of 3 that ran/);
  assert.match(text, /p99 not shown: 20 streams, 100 needed/);
  assert.match(text, /judge routing and safety by this, not model speed\. 58 s/);
  assert.match(
    text,
    /45 decisions again: 0 differ; the candidate policy \(round_robin\) would change 9 \(20\.0 %\)/,
  );
  assert.match(text, /sim-big: Takes no requests for 12 s: connection failed: refused\./);
  assert.match(text, /closed gates: health .* tensorforge explain backend sim-big/);
  assert.match(text, /sim-fast 17 → 8 · sim-big 3 → 12/);
  assert.doesNotMatch(text, /\u001b/);
  const missed = reportLines(
    reportOf(input({ gateway: { failovers: 3, streamsCut: 4 } })),
    look,
    true,
  );
  assert.match(missed.join('\n'), /\u001b\[31mmissed/);
});

test('a machine that was too slow for the load is told', () => {
  const text = reportLines(reportOf(input({ clientLagP99Ms: 120, wallS: 90 })), look, false).join(
    '\n',
  );
  assert.match(text, /timers of the client were 120 ms late/);
  assert.match(text, /the whole run took 90 s/);
});

test('the report for programs is one object of plain figures', () => {
  const json = reportJson(reportOf(input()), look);
  assert.deepEqual(JSON.parse(JSON.stringify(json)), json);
  assert.deepEqual(json['ttft_ms'], { count: 20, p50: 10, p95: 19, p99: null });
});

test('thousands are grouped', () => {
  assert.deepEqual([0, 999, 4812, 1234567].map(grouped), ['0', '999', '4 812', '1 234 567']);
});

test('a metric is summed over its label sets and no other metric', () => {
  const text = [
    '# HELP tensorforge_failovers_total Attempts after the first one of a request.',
    'tensorforge_failovers_total 4',
    'tensorforge_failovers_total{backend="a"} 5',
    'tensorforge_failovers_total_other 100',
  ].join('\n');
  assert.equal(metricSum(text, 'tensorforge_failovers_total'), 9);
  assert.equal(metricSum(text, 'tensorforge_streams_cut_total'), 0);
});

test('what the demo starts does not inherit the settings and databases of its caller', () => {
  const env = {
    PATH: '/bin',
    TENSORFORGE_PORT: '1',
    TENSORFORGE_TEST_RUN: 'mark',
    DATABASE_URL: 'postgres://a/b',
    REDIS_URL: 'redis://a',
  };
  assert.deepEqual(childEnvironment(env), { PATH: '/bin', TENSORFORGE_TEST_RUN: 'mark' });
});
