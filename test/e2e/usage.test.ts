// Goal: what requests used and cost is exact through the front door, survives a restart, and a budget
// lets in what it has room for. Method: scripted backends with a price list, so that every figure can be
// worked out by hand: 2 micro-USD for a token in (1 from a cache), 10 for one out.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { auditEventsSchema } from '../../src/protocol/control/platform-schemas.ts';
import { statsSchema } from '../../src/protocol/control/schemas.ts';
import { type UsageWire, usageSchema } from '../../src/protocol/control/usage-schemas.ts';
import {
  type Asked,
  ask,
  chat,
  chunk,
  createKey,
  delta,
  errorOf,
  jsonAnswer,
  lastChunk,
  type ModelScript,
  metricsOf,
  startModelScript,
  streamHead,
  sumOf,
  until,
} from '../support/inference.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { type Product, type ProductOptions, startProduct } from '../support/product.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const home = temporaryFolder();
const priceFile = join(home, 'prices.yaml');
const usd = 1_000_000;

const prices = [
  'dated: 2026-11-01',
  'prices:',
  '  - backend: priced-*',
  '    input_usd_per_million: 2',
  '    cached_input_usd_per_million: 1',
  '    output_usd_per_million: 10',
].join('\n');

const usage = {
  prompt_tokens: 7,
  completion_tokens: 3,
  prompt_tokens_details: { cached_tokens: 2 },
};
const whole = JSON.stringify({ choices: [{ message: { content: 'Hi there you' } }], usage });

let product: Product;
let first: ModelScript;
let second: ModelScript;
let free: ModelScript;
const held: Asked[] = [];

/** What a stream of three tokens is, from its role to its end mark. */
const streamed = [
  'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n',
  ...['Hi', ' there', ' you'].map(delta),
  'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
  `data: {"choices":[],"usage":${JSON.stringify(usage)}}\n\n`,
  'data: [DONE]\n\n',
];

function answer(asked: Asked): void {
  const { socket, body } = asked;
  const { model, stream } = JSON.parse(body) as { model: string; stream?: boolean };
  if (model === 'held') {
    held.push(asked);
    if (stream === true)
      socket.write(streamHead + [1, 2, 3, 4].map(() => chunk(delta('x'))).join(''));
  } else if (stream === true) socket.write(streamHead + streamed.map(chunk).join('') + lastChunk);
  else socket.write(jsonAnswer(200, whole));
}

const models = ['exact', 'flaky', 'held'];

function options(): ProductOptions {
  return {
    dataDirectory: home,
    sims: [],
    backends: [
      { name: 'priced-1', url: first.url, type: 'generic', priority: 0 },
      { name: 'priced-2', url: second.url, type: 'generic', priority: 100 },
      { name: 'free', url: free.url, type: 'generic' },
    ],
    config: { prices: { file: priceFile }, server: { threads: 2 } },
  };
}

before(async () => {
  writeFileSync(priceFile, prices);
  first = await startModelScript(models, (asked) => {
    if (asked.body.includes('"flaky"')) asked.socket.write(jsonAnswer(500, '{}'));
    else answer(asked);
  });
  second = await startModelScript(['flaky'], answer);
  free = await startModelScript(['free'], answer);
  product = await startProduct(options());
});

after(async () => {
  await product?.stop();
  for (const script of [first, second, free]) await script?.close();
  rmSync(home, { recursive: true, force: true });
});

async function usageOf(query = ''): Promise<UsageWire> {
  const { status, body } = await product.json(`/api/v1/usage${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return usageSchema.parse(body);
}

function costOf({ cost_usd: cost }: { readonly cost_usd: number | null }): number {
  return Math.round((cost ?? Number.NaN) * usd);
}

it('tokens and cost are exact for whole answers and streams, and unpriced is not free', async () => {
  const json = await ask(product, chat('exact', { max_tokens: 100 }));
  assert.equal(json.status, 200);
  // 100 tokens out and a few in, rounded up to four decimals.
  assert.equal(json.headers['x-tensorforge-cost-estimated'], '0.0011');
  assert.equal(json.headers['x-tensorforge-budget-status'], undefined);
  assert.equal((await ask(product, chat('exact', { stream: true }))).status, 200);
  const unpriced = await ask(product, chat('free'));
  assert.equal(unpriced.headers['x-tensorforge-cost-estimated'], undefined);

  const { usage: rows, total } = await usageOf('?by=model');
  const [exact] = rows.filter(({ model }) => model === 'exact');
  const [none] = rows.filter(({ model }) => model === 'free');
  assert.ok(exact !== undefined && none !== undefined);
  assert.deepEqual(
    [exact.requests, exact.succeeded, exact.prompt_tokens, exact.completion_tokens],
    [2, 2, 14, 6],
  );
  assert.deepEqual([exact.cached_tokens, costOf(exact)], [4, 2 * (5 * 2 + 2 * 1 + 3 * 10)]);
  assert.deepEqual([none.cost_usd, none.unpriced_requests, none.prompt_tokens], [null, 1, 7]);
  assert.equal(costOf(total), costOf(exact));
  const metrics = await metricsOf(product);
  assert.equal(sumOf(metrics, 'tensorforge_tokens_total', { model: 'exact', type: 'output' }), 6);
  assert.equal(Math.round(sumOf(metrics, 'tensorforge_cost_usd_total') * usd), costOf(total));
});

it('a failover is charged once, by the backend that answered', async () => {
  assert.equal((await ask(product, chat('flaky'))).status, 200);
  const { usage: rows } = await usageOf('?by=backend&model=flaky');
  assert.deepEqual(
    rows.map((row) => [row.backend_id, row.requests, costOf(row)]),
    [['priced-2', 1, 42]],
  );
});

it('a stream that its client leaves is charged for what was counted', async () => {
  const controller = new AbortController();
  const left = await fetch(`${product.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${product.adminKey}`, 'content-type': 'application/json' },
    body: chat('held', { stream: true }),
    signal: controller.signal,
  });
  const reader = left.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (text.split('data:').length < 5) text += (await reader?.read())?.value ?? 'data:';
  controller.abort();
  await reader?.closed.catch(() => undefined);
  await until('the request is settled', async () => (await usageOf('?model=held')).count === 1);
  const [row] = (await usageOf('?model=held')).usage;
  assert.ok(row !== undefined);
  assert.deepEqual([row.aborted, row.completion_tokens], [1, 4]);
  assert.equal(costOf(row), row.prompt_tokens * 2 + 4 * 10);
  for (const { socket } of held.splice(0)) socket.destroy();
});

it('another key may read its group at most, and bad queries are told', async () => {
  const { secret } = await createKey(product, { name: 'u', permissions: ['inference:use'] });
  const reader = await createKey(product, { name: 'r', permissions: ['group:read'] });
  const get = async (key: string, query: string) =>
    (await ask(product, '', { method: 'GET', key, path: `/api/v1/usage${query}` })).status;
  assert.equal(await get(secret, ''), 403);
  assert.equal(await get(reader.secret, ''), 200);
  assert.equal(await get(reader.secret, '?group=someone-else'), 403);
  for (const bad of ['?by=colour', '?from=summer', '?from=2026-11-02&to=2026-11-01', '?x=1']) {
    assert.equal(await get(product.adminKey, bad), 400, bad);
  }
});

it('the command line shows the same, and a restart keeps it', async () => {
  const before = await usageOf('?by=key,group,model,backend');
  assert.equal(before.count, 4);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [mainFile, 'usage', '--by', 'key,group,model,backend', '--csv'],
    { env: { ...process.env, TENSORFORGE_DATA_DIR: product.dataDirectory } },
  );
  const [head, ...lines] = stdout.trim().split('\n');
  assert.match(head ?? '', /^key_id,group_name,model,backend_id,requests,/);
  assert.equal(lines.length, 4);
  await product.stop();
  product = await startProduct(options());
  const now = await usageOf('?by=key,group,model,backend');
  assert.deepEqual([now.usage, now.total], [before.usage, before.total]);
});

it('of twenty requests at once a budget for one lets one in, and says so everywhere', async () => {
  const [row] = (await usageOf('?model=held')).usage;
  const estimate = 100 * 10 + 2 * (row?.prompt_tokens ?? 0);
  const limit = (costOf((await usageOf()).total) + estimate) / usd;
  const budget = { monthly_limit_usd: limit, hard_limit_action: 'block_all' };
  product.configure({ ...options().config, budget });
  const reload = await product.json('/api/v1/config/reload', { method: 'POST' });
  assert.equal(reload.status, 200, JSON.stringify(reload.body));
  let answered = 0;
  const asked = Array.from({ length: 20 }, () =>
    ask(product, chat('held', { max_tokens: 100 })).finally(() => answered++),
  );
  await until('all but one are answered', () => answered === 19 && held.length > 0);
  assert.equal(held.length, 1);
  assert.equal((await usageOf()).budget?.status, 'HardLimit');
  for (const { socket } of held.splice(0)) socket.write(jsonAnswer(200, whole));
  const answers = await Promise.all(asked);
  const bad = answers.filter(({ status }) => status !== 200);
  assert.equal(bad.length, 19);
  for (const one of bad) {
    assert.deepEqual([one.status, errorOf(one.text).context?.reason], [503, 'budget_exhausted']);
    assert.equal(one.headers['x-should-retry'], 'false');
    assert.equal(one.headers['x-tensorforge-budget-status'], 'HardLimit');
  }
  const { budget: settled } = await usageOf();
  assert.deepEqual([settled?.status, settled?.reserved_usd], ['Normal', 0]);
  assert.equal((await ask(product, chat('held', { max_tokens: 1000 }))).status, 503);
});

it('a changed price file holds from the next request on, and one with faults changes nothing', async () => {
  product.configure(options().config ?? {});
  const reload = async (text: string) => {
    writeFileSync(priceFile, text);
    return await product.json('/api/v1/config/reload', { method: 'POST' });
  };
  const costOfNext = async () => {
    const before = costOf((await usageOf()).total);
    assert.equal((await ask(product, chat('exact'))).status, 200);
    return costOf((await usageOf()).total) - before;
  };
  const dearer = prices.replace('output_usd_per_million: 10', 'output_usd_per_million: 20');
  const { body } = await reload(dearer);
  assert.ok((body as { applied: string[] }).applied.includes('prices.file'));
  assert.equal(await costOfNext(), 5 * 2 + 2 * 1 + 3 * 20);
  const refused = await reload('dated: soon\nprices: []');
  assert.ok(refused.status >= 400, String(refused.status));
  assert.match(JSON.stringify(refused.body), /dated is soon.*prices is \[\]/);
  assert.equal(await costOfNext(), 5 * 2 + 2 * 1 + 3 * 20);
  await reload(prices);
});

it('thresholds are told once, and answers say where the budget stands', async () => {
  const spent = costOf((await usageOf()).total);
  const budget = { monthly_limit_usd: (spent * 1.1) / usd };
  product.configure({ ...options().config, budget });
  for (let i = 0; i < 2; i++) {
    const { status } = await product.json('/api/v1/config/reload', { method: 'POST' });
    assert.equal(status, 200);
  }
  const answer = await ask(product, chat('exact', { max_tokens: 50 }));
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['x-tensorforge-budget-status'], 'HardLimit', 'its booking counts');
  assert.equal(answer.headers['x-tensorforge-budget-remaining'], '0.00');
  const { body } = await product.json('/v1/stats');
  const stats = statsSchema.parse(body);
  assert.equal(stats.budget?.hard_limit_action, 'warn');
  assert.ok((stats.budget?.utilization_percent ?? 0) > 90);
  let percents: readonly unknown[] = [];
  await until('the alarms are written', async () => {
    const path = '/api/v1/audit/events?stream=edge&kind=budget_threshold_crossed';
    const { events } = auditEventsSchema.parse((await product.json(path)).body);
    percents = events.map(({ data }) => data['percent']);
    return percents.length >= 4;
  });
  assert.deepEqual(percents, [50, 75, 80, 100]);
  const metrics = await metricsOf(product);
  assert.equal(metrics.get('tensorforge_budget_status'), 2);
});
