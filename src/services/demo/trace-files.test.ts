// Goal: each trace format becomes the same kind of workload, and a bad file is told by file, line
// and remedy. Method: small files written here, plain and packed; the real ones where at hand.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { WorkloadRequest } from '../../core/workload/requests.ts';
import { readTrace } from './trace-files.ts';

function fileWith(context: TestContext, name: string, content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'trace-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

async function all(file: string, seed = 1): Promise<WorkloadRequest[]> {
  const requests: WorkloadRequest[] = [];
  for await (const one of readTrace(file, { seed })) requests.push(one);
  return requests;
}

const azure = [
  'TIMESTAMP,ContextTokens,GeneratedTokens',
  '2023-11-16 18:15:46.6805900,374,44',
  '2023-11-16 18:15:50.9951690,396,109',
  '2023-11-16 18:15:51,1,1',
  '',
].join('\r\n');

const burstgpt = [
  'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type',
  '5,ChatGPT,472,18,490,Conversation log',
  '45.5,GPT-4,1087,0,1087,API log',
  '118,GPT-4,417,276,693,API log',
].join('\n');

const mooncake = [
  '{"timestamp": 0, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1]}',
  '{"timestamp": 0, "input_length": 7322, "output_length": 490, "hash_ids": [0, 2]}',
  '{"timestamp": 0, "input_length": 10, "output_length": 3, "hash_ids": [0]}',
  '{"timestamp": 3000, "input_length": 7, "output_length": 1, "hash_ids": [3]}',
].join('\n');

function shape(requests: readonly WorkloadRequest[]): number[][] {
  return requests.map((one) => [one.atMs, one.promptTokens, one.outputTokens]);
}

test('Azure: lines end in CRLF, time has seven digits and starts at the first row', async (context) => {
  const file = fileWith(context, 'azure.csv', azure);
  assert.deepEqual(shape(await all(file)), [
    [0, 374, 44],
    [4314, 396, 109],
    [4319, 1, 1],
  ]);
});

test('BurstGPT: seconds, streaming by log type, failed requests left out', async (context) => {
  const requests = await all(fileWith(context, 'burst.csv', burstgpt));
  assert.deepEqual(shape(requests), [
    [0, 472, 18],
    [113_000, 417, 276],
  ]);
  assert.deepEqual(
    requests.map((one) => one.stream),
    [true, false],
  );
});

test('Mooncake: requests of one tick are spread over it, in order', async (context) => {
  const file = fileWith(context, 'mooncake.jsonl', mooncake);
  assert.deepEqual(shape(await all(file)), [
    [0, 6758, 500],
    [1000, 7322, 490],
    [2000, 10, 3],
    [4000, 7, 1],
  ]);
});

test('Mooncake: ticks that follow each other sooner are not mixed', async (context) => {
  const rows = [0, 0, 10, 10, 20].map((timestamp) =>
    JSON.stringify({ timestamp, input_length: 1, output_length: 1, hash_ids: [] }),
  );
  const requests = await all(fileWith(context, 'close.jsonl', rows.join('\n')));
  assert.deepEqual(
    requests.map((one) => one.atMs),
    [0, 5, 10, 15, 1517],
  );
});

test('a packed file reads like the plain one, also with a byte order mark', async (context) => {
  const plain = await all(fileWith(context, 'a.csv', azure));
  assert.deepEqual(await all(fileWith(context, 'a.csv.gz', gzipSync(azure))), plain);
  assert.deepEqual(await all(fileWith(context, 'b.csv', `\uFEFF${azure}`)), plain);
});

test('which requests stream is the same for the same seed', async (context) => {
  const rows = Array.from({ length: 300 }, (_, i) => `2023-11-16 18:10:00,${i},9`);
  const file = fileWith(context, 'a.csv', [azure.split('\r\n')[0], ...rows].join('\n'));
  const streams = async (seed: number): Promise<boolean[]> =>
    (await all(file, seed)).map((one) => one.stream);
  assert.deepEqual(await streams(4), await streams(4));
  assert.notDeepEqual(await streams(4), await streams(5));
  const share = (await streams(4)).filter(Boolean).length / 300;
  assert.ok(share > 0.7 && share < 0.9, `${share}`);
});

const bad: readonly (readonly [string, string, RegExp])[] = [
  ['an unknown head', 'a,b\n1,2\n', /line 1: not a known trace; it starts with "TIMESTAMP/],
  ['an empty file', '', /is empty/],
  ['a missing cell', `${azure}2023-11-16 18:16:00,5`, /line 5: 2 cells where 3 belong/],
  ['a bad time', `${azure}yesterday,5,5`, /line 5: TIMESTAMP "yesterday" is not YYYY/],
  ['a date that is none', `${azure}2023-13-99 18:16:00,5,5`, /line 5: TIMESTAMP/],
  ['bad tokens', `${azure}2023-11-16 18:16:00,5,1.5`, /line 5: GeneratedTokens is "1.5"/],
  ['negative tokens', `${azure}2023-11-16 18:16:00,-5,1`, /line 5: ContextTokens is "-5"/],
  ['time that goes back', `${azure}2023-11-16 18:15:00,5,5`, /line 5: .*sort the file/],
  ['a bad number of seconds', `${burstgpt}\nsoon,m,1,1,2,API log`, /line 5: Timestamp "soon"/],
  ['an unknown log type', `${burstgpt}\n200,m,1,1,2,Other`, /line 5: Log Type "Other"/],
  ['broken JSON', `${mooncake}\n{"timestamp": 3000,`, /line 5: not a JSON object/],
  ['a JSON list', `${mooncake}\n[1]`, /line 5: not a JSON object/],
  ['a missing member', `${mooncake}\n{"timestamp": 3000}`, /line 5: input_length is missing/],
  ['an endless line', 'x'.repeat(2_000_000), /a line is longer than/],
];

for (const [name, content, message] of bad) {
  test(`${name} is told with file, line and what is wrong`, async (context) => {
    const file = fileWith(context, 'bad.csv', content);
    await assert.rejects(all(file), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'config_invalid');
      assert.ok(error.message.includes(file));
      assert.match(error.message, message);
      return true;
    });
  });
}

test('rows before a bad one are given, and reading can stop early', async (context) => {
  const file = fileWith(context, 'bad.csv', `${azure}oops`);
  const read: WorkloadRequest[] = [];
  for await (const one of readTrace(file, { seed: 1 })) {
    read.push(one);
    if (read.length === 3) break;
  }
  assert.equal(read.length, 3);
});

test('a file that is absent or not really packed is told', async (context) => {
  await assert.rejects(all('/nowhere/trace.csv'), { message: /cannot read \/nowhere.*ENOENT/ });
  const file = fileWith(context, 'a.csv.gz', azure);
  await assert.rejects(all(file), { code: 'config_invalid', message: /cannot read .*header/ });
});

test('the real traces read whole where they are at hand', async (context) => {
  const folder = process.env['TENSORFORGE_TRACES'] ?? '../shared/data';
  for (const [name, rows] of [
    ['azure-llm-2023/AzureLLMInferenceTrace_conv.dev.csv.gz', 12_910],
    ['azure-llm-2023/AzureLLMInferenceTrace_code.dev.csv', 5879],
    ['mooncake/conversation_trace.dev.jsonl.gz', 10_029],
  ] as const) {
    const file = join(folder, name);
    if (!existsSync(file)) {
      context.diagnostic(`not read: ${name} is not at hand`);
      continue;
    }
    let count = 0;
    let lastMs = 0;
    for await (const one of readTrace(file, { seed: 1 })) {
      assert.ok(one.atMs >= lastMs);
      lastMs = one.atMs;
      count++;
    }
    assert.equal(count, rows);
  }
});
