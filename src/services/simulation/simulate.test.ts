// Goal: from files to a report: the same inputs give the same bytes, faults are told before
// anything is played, and the plot is one page that needs nothing else. Method: small files in a
// folder of their own; a golden report of five requests; the real traces where at hand.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { SimulationReport } from '../../protocol/simulation/report.ts';
import type { SimulateRequest } from '../../protocol/simulation/request.ts';
import { writeTraffic } from '../resilience/log.test-support.ts';
import { simulate } from './simulate.ts';

const fleetText = `backends:
  - {name: fast, profile: h100-7b, models: [m], price_per_hour: 5}
  - {name: slow, profile: a100-7b, models: [m], slowness: 2, price_per_hour: 1}
`;

const azureText = [
  '\uFEFFTIMESTAMP,ContextTokens,GeneratedTokens',
  '2023-11-16 18:15:46.6805900,374,44',
  '2023-11-16 18:15:47.9951690,396,109',
  '2023-11-16 18:15:47.1,1200,20',
  '2023-11-16 18:15:48,1,1',
  '2023-11-16 18:15:49,9,0',
  '2023-11-16 18:15:49,4000,300',
  '',
].join('\r\n');

type Files = Readonly<Record<string, string | Uint8Array>>;

function folderWith(context: TestContext, files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'simulate-'));
  context.after(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

function run(folder: string, more: Partial<SimulateRequest> = {}): Promise<SimulationReport> {
  return simulate({
    fleet: join(folder, 'fleet.yaml'),
    trace: join(folder, 'trace.csv'),
    policies: [],
    plot: undefined,
    speed: 1,
    rateScale: 1,
    limit: undefined,
    warmUpSeconds: 0,
    model: undefined,
    seed: 1,
    ...more,
  });
}

const files: Files = { 'fleet.yaml': fleetText, 'trace.csv': azureText };

test('five requests give the report that was looked at', async (context) => {
  const folder = folderWith(context, {
    ...files,
    'load.yaml': 'routing: {strategy: round_robin}',
  });
  const report = await run(folder, { policies: ['defaults', join(folder, 'load.yaml')] });
  const golden = readFileSync(new URL('golden-report.json', import.meta.url), 'utf8');
  const bare = JSON.stringify(report, null, 2).replaceAll(`${folder}/`, '');
  assert.equal(`${bare}\n`, golden);
});

test('the same inputs give the same bytes, another seed may not', async (context) => {
  const folder = folderWith(context, { ...files, 'r.yaml': 'routing: {strategy: random}' });
  const bytes = async (seed: number): Promise<string> =>
    JSON.stringify(await run(folder, { seed, rateScale: 3.5, policies: [join(folder, 'r.yaml')] }));
  assert.equal(await bytes(1), await bytes(1));
  assert.notEqual(await bytes(1), await bytes(2));
});

test('a packed trace gives the figures of the plain one', async (context) => {
  const folder = folderWith(context, { ...files, 'trace.csv.gz': gzipSync(azureText) });
  const packed = await run(folder, { trace: join(folder, 'trace.csv.gz') });
  assert.deepEqual(packed.candidates, (await run(folder)).candidates);
});

test('what was sorted and left out is told; a limit takes the first rows', async (context) => {
  const folder = folderWith(context, files);
  const report = await run(folder);
  assert.deepEqual([report.trace.unsorted, report.trace.without_output], [1, 1]);
  assert.match(report.notes.join(' '), /1 rows of the trace were out of order/);
  assert.equal((await run(folder, { limit: 2 })).trace.requests, 2);
});

test('a model that nobody lists is told, and --model replaces it', async (context) => {
  const trace = [
    'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type',
    '1,GPT-4,10,10,20,API log',
    '2,m,10,10,20,API log',
  ].join('\n');
  const folder = folderWith(context, { ...files, 'trace.csv': trace });
  const report = await run(folder);
  assert.deepEqual(report.candidates[0]?.rejections, [{ code: 'model_not_found', count: 1 }]);
  assert.match(report.notes.join(' '), /1 requests ask for “GPT-4”, which no backend lists/);
  assert.equal((await run(folder, { model: 'm' })).candidates[0]?.rejected, 0);
});

async function refusal(context: TestContext, changed: Files, more: Partial<SimulateRequest> = {}) {
  const folder = folderWith(context, { ...files, ...changed });
  const policies = (more.policies ?? []).map((name) => join(folder, name));
  let words = '';
  await assert.rejects(run(folder, { ...more, policies }), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'config_invalid');
    words = error.message;
    return true;
  });
  return words;
}

const badTraces: readonly (readonly [string, string, RegExp])[] = [
  ['one bad line', `${azureText}oops`, /trace\.csv: line 8: 1 cells where 3 belong$/],
  ['a missing column', 'TIMESTAMP,ContextTokens\n', /line 1: no column "GeneratedTokens"/],
  ['negative tokens', `${azureText}2023-11-16 18:15:46,-3,1`, /line 8: ContextTokens is "-3"/],
  ['nothing at all', '', /the file is empty/],
  [
    'only failed requests',
    `${azureText.split('\r\n')[0]}\n2023-11-16 18:15:46,3,0`,
    /no request with/,
  ],
];

for (const [name, text, words] of badTraces) {
  test(`a trace with ${name} is refused with file and line`, async (context) => {
    assert.match(await refusal(context, { 'trace.csv': text }), words);
  });
}

test('a candidate with faults is refused whole, every fault named', async (context) => {
  const text = 'routing: {strategy: smrt, max_retries: 99}\nserver: {port: 1}';
  const words = await refusal(context, { 'c.yaml': text }, { policies: ['c.yaml'] });
  assert.match(words, /has 3 faults; nothing was simulated/);
  assert.match(words, /routing\.strategy is smrt/);
  assert.match(words, /routing\.max_retries is 99/);
});

test('policies of one name, absent files and a plot without a folder are told', async (context) => {
  const same = { 'a.yaml': 'routing: {max_retries: 0}', 'a.yml': 'routing: {max_retries: 1}' };
  assert.match(await refusal(context, same, { policies: ['a.yaml', 'a.yml'] }), /two policies/);
  assert.match(await refusal(context, {}, { policies: ['none.yaml'] }), /cannot read .*none\.yaml/);
  assert.match(await refusal(context, {}, { trace: '/nowhere/t.csv' }), /cannot read \/nowhere/);
  assert.match(await refusal(context, {}, { plot: '/nowhere/x.html' }), /cannot write \/nowhere/);
  assert.match(await refusal(context, { 'fleet.yaml': 'x: 1' }), /has 2 faults/);
});

test('the decision log of an installation is a trace with latencies of its own', async (context) => {
  const folder = folderWith(context, files);
  const trace = join(folder, 'decisions');
  const written = await writeTraffic(trace, { requests: 200, seed: 5 });
  const report = await run(folder, { trace });
  const admitted = written.filter((request) => request.admitted).length;
  assert.deepEqual([report.trace.format, report.trace.requests], ['decisions', admitted]);
  const [candidate] = report.candidates;
  assert.equal((candidate?.answered ?? 0) + (candidate?.rejected ?? 0), admitted);
  assert.ok((report.calibration_error ?? 0) > 0, 'engines of another speed are off');
  assert.match(report.notes.join(' '), /% off the recorded one/);
  assert.equal((await run(folder, { trace, speed: 2 })).calibration_error, null);
});

test('a log that is damaged is played without it, and the place is told', async (context) => {
  const folder = folderWith(context, files);
  const trace = join(folder, 'decisions');
  await writeTraffic(trace, { requests: 100, seed: 5 });
  const [name = ''] = readdirSync(join(trace, 't0'));
  const bytes = readFileSync(join(trace, 't0', name));
  bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 0xff;
  writeFileSync(join(trace, 't0', name), bytes);
  const report = await run(folder, { trace });
  assert.ok(report.trace.requests > 10 && report.trace.requests < 95, `${report.trace.requests}`);
  assert.match(report.notes.join(' '), /The log is damaged.*t0\/00000001\.tfd at byte \d+/);
});

test('a folder that holds no log is refused with what was met there', async (context) => {
  const folder = folderWith(context, files);
  await assert.rejects(run(folder, { trace: folder }), {
    message: /no request with output.*No decision log is there/,
  });
});

test('the plot is one page in words, drawings and a table, without a script or an address', async (context) => {
  const folder = folderWith(context, {
    ...files,
    'a <b>&.yaml': 'routing: {strategy: round_robin}',
  });
  const plot = join(folder, 'out.html');
  await run(folder, { policies: ['defaults', join(folder, 'a <b>&.yaml')], plot });
  const page = readFileSync(plot, 'utf8');
  assert.ok(page.startsWith('<!doctype html>'));
  assert.ok(page.includes('a &lt;b&gt;&amp;') && !page.includes('a <b>'));
  for (const banned of ['http://', 'https://', '<script', 'url(', '@import', 'NaN', 'undefined']) {
    assert.ok(!page.includes(banned), banned);
  }
  assert.equal(page.match(/<svg/g)?.length, page.match(/<\/svg>/g)?.length);
  assert.equal(page.match(/<svg/g)?.length, page.match(/role="img"/g)?.length);
  assert.match(page, /<title id="curve-t">.*<\/title>/);
  assert.match(page, /prefers-color-scheme:dark/);
  assert.equal(page.match(/<polyline/g)?.length, 2);
  assert.match(page, /<caption>Simulated figures of each policy<\/caption>/);
});

test('a plot of a fleet that answers nothing is a page all the same', async (context) => {
  const folder = folderWith(context, files);
  const plot = join(folder, 'out.html');
  const report = await run(folder, { model: 'other', plot });
  assert.equal(report.candidates[0]?.ttft_ms, null);
  assert.ok(!readFileSync(plot, 'utf8').includes('NaN'));
});

test('the real traces are played where they are at hand', async (context) => {
  const traces = process.env['TENSORFORGE_TRACES'] ?? '../shared/data';
  const folder = folderWith(context, files);
  for (const [name, requests] of [
    ['azure-llm-2023/AzureLLMInferenceTrace_conv.dev.csv.gz', 400],
    ['azure-llm-2023/AzureLLMInferenceTrace_code.dev.csv', 400],
    ['mooncake/conversation_trace.dev.jsonl.gz', 400],
  ] as const) {
    const trace = join(traces, name);
    if (!existsSync(trace)) {
      context.diagnostic(`skipped: ${name} is not at hand`);
      continue;
    }
    const report = await run(folder, { trace, limit: requests });
    const [candidate] = report.candidates;
    assert.ok(candidate);
    assert.equal(candidate.answered + candidate.rejected, report.trace.requests);
    if (report.trace.format === 'mooncake') {
      assert.ok(candidate.backends.some((each) => each.prefix_cached > 0.05));
    }
  }
});
