// Goal: flags become the request of the action, and the report is printed for each kind of reader.
// Method: the command alone in a process of its own, with an action that notes its request and
// answers with a small report.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';
import type { SimulationReport } from '../../protocol/simulation/report.ts';

const engine = {
  name: 'a',
  requests: 2,
  share: 1,
  busy: 0.5,
  batch_occupancy: 0.1,
  kv_mean: 0.1,
  kv_peak: 0.25,
  waiting_mean: 0,
  waiting_peak: 0,
  tokens_per_second: 10,
  prefix_cached: 0,
};

const report: SimulationReport = {
  simulated: true,
  trace: {
    file: '/t.csv',
    format: 'azure',
    requests: 3,
    warm_up_requests: 0,
    unsorted: 0,
    without_output: 0,
    seconds: 60,
  },
  fleet: { file: '/f.yaml', engines: 1, price_per_hour: 2, overhead_ms: 0.15, network_ms: 0 },
  slo: { ttft_ms: 2000, tpot_ms: 100 },
  seed: 1,
  speed: 1,
  rate_scale: 1,
  candidates: [
    {
      name: 'defaults',
      strategy: 'smart',
      requests: 3,
      answered: 2,
      rejected: 1,
      rejections: [{ code: 'queue_full', count: 1 }],
      attempts_per_request: 1,
      ttft_ms: { p50: 100.5, p95: 412, p99: 1500 },
      total_ms: { p50: 1000, p95: 2000, p99: 3000 },
      inter_token_p99_ms: 11,
      goodput: 0.5,
      slo_attainment: 0.75,
      requests_per_second: 1,
      tokens_per_second: 10,
      span_seconds: 3,
      price_per_hour: 2,
      price_per_million_output_tokens: null,
      backends: [engine, { ...engine, name: 'b', busy: 0.75 }],
      curve: [],
      mode_moves: [{ at_seconds: 20, to: 'watch' }],
    },
  ],
  calibration_error: null,
  notes: ['Everything is simulated.'],
};

const start = `
import { Command } from 'commander';
import { addSimulateCommand } from ${JSON.stringify(new URL('./simulate.ts', import.meta.url).href)};
import { toFailure } from ${JSON.stringify(new URL('../failure.ts', import.meta.url).href)};
const program = new Command('tensorforge').exitOverride().option('--json').option('--quiet');
const simulate = async (request) => {
  process.stderr.write('REQUEST ' + JSON.stringify(request) + '\\n');
  return ${JSON.stringify(report)};
};
addSimulateCommand(program, { actions: { simulate }, machine: {}, env: {}, exit() {} });
program.commands[0].exitOverride();
try {
  await program.parseAsync(process.argv.slice(1), { from: 'user' });
} catch (error) {
  const failure = toFailure(error);
  process.stderr.write(failure.message + '\\n');
  process.exitCode = failure.exitCode;
}`;

function run(...args: readonly string[]) {
  const flags = ['--input-type=module', '-e', start, '--', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' });
  const noted = /^REQUEST (.*)$/m.exec(stderr)?.[1];
  const request: unknown = noted === undefined ? undefined : JSON.parse(noted);
  return { code: status, out: stdout, err: stderr, request };
}

test('flags become the request; paths are absolute and the word defaults is none', () => {
  const { request } = run(
    'simulate',
    ...['--fleet', 'f.yaml', '--trace', 't.csv', '--policy', 'defaults, a.yaml'],
    ...['--plot', 'o.html', '--speed', '2', '--rate-scale', '110%', '--limit', '9'],
    ...['--warm-up', '5', '--model', 'm', '--seed', '3'],
  );
  assert.deepEqual(request, {
    fleet: resolve('f.yaml'),
    trace: resolve('t.csv'),
    policies: ['defaults', resolve('a.yaml')],
    plot: resolve('o.html'),
    speed: 2,
    rateScale: 1.1,
    limit: 9,
    warmUpSeconds: 5,
    model: 'm',
    seed: 3,
  });
});

test('a pipe gets tabs, raw figures with their units, and notes beside them', () => {
  const { out, err, code } = run('simulate', '--fleet', 'f', '--trace', 't');
  const [head, row] = out.split('\n').map((line) => line.split('\t'));
  assert.deepEqual(head?.slice(0, 4), ['policy', 'ttft_p50_ms', 'ttft_p95_ms', 'ttft_p99_ms']);
  assert.deepEqual(row?.slice(0, 4), ['defaults', '100.5', '412', '1500']);
  assert.equal(row?.length, head?.length);
  assert.match(err, /defaults: backends busy 50\.0 to 75\.0 %, share 100\.0 %.*queue_full 1/);
  assert.match(err, /mode watch after 20 s/);
  assert.match(err, /Everything is simulated/);
  assert.equal(code, 0);
});

test('--json prints the report as it is, --quiet the names of the policies', () => {
  const json = run('--json', 'simulate', '--fleet', 'f', '--trace', 't');
  assert.deepEqual(JSON.parse(json.out), report);
  assert.equal(run('--quiet', 'simulate', '--fleet', 'f', '--trace', 't').out, 'defaults\n');
});

test('what is missing or no factor is a usage failure, and nothing runs', () => {
  const missing = run('simulate', '--fleet', 'f');
  assert.deepEqual([missing.code, missing.request], [2, undefined]);
  assert.match(missing.err, /simulate needs --trace FILE/);
  assert.match(run('simulate').err, /simulate needs --fleet FILE and --trace FILE/);
  for (const factor of ['0', '110%%', '9999']) {
    const refused = run('simulate', '--fleet', 'f', '--trace', 't', '--rate-scale', factor);
    assert.equal(refused.request, undefined, factor);
    assert.match(refused.err, /Expected a factor such as 1\.1, or 110%/);
  }
});
