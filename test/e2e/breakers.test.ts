// Goal: a backend that fails is left alone, tried again by one request at a time and taken back; the last
// backend of a model is asked whatever happens; what a client did wrong counts against nobody; retries
// have a budget; all of it can be seen and reset, and survives a restart. Method: the product with two
// gateway threads and scripted backends that answer with the status the test wants.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { breakerListSchema } from '../../src/protocol/control/breaker-schemas.ts';
import { backendExplainSchema } from '../../src/protocol/control/schemas.ts';
import { policyViewSchema } from '../../src/protocol/control/trust-schemas.ts';
import {
  ask,
  chat,
  jsonAnswer,
  type ModelScript,
  metricsOf,
  startModelScript,
  sumOf,
  until,
} from '../support/inference.ts';
import { freePort, type Product, runCommand, startProduct } from '../support/product.ts';

const home = mkdtempSync(join(tmpdir(), 'tf-breakers-'));
const good = JSON.stringify({
  id: 'x',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
});
const modelId = 'org/m';

/** What each scripted backend answers now. */
const statuses = { first: 200, second: 200, solo: 200 };
type Name = keyof typeof statuses;
const scripts = new Map<Name, ModelScript>();
let product: Product;
let port = 0;

function start(): Promise<Product> {
  const urlOf = (name: Name): string => scripts.get(name)?.url ?? '';
  return startProduct({
    sims: [],
    backends: [
      { name: 'first', url: urlOf('first'), type: 'generic', priority: 0 },
      { name: 'second', url: urlOf('second'), type: 'generic', priority: 100 },
      { name: 'solo', url: urlOf('solo'), type: 'generic' },
    ],
    config: {
      server: { threads: 2 },
      health_check: { interval_seconds: 3600 },
      routing: {
        strategy: 'priority_only',
        retry_budget_percent: 100,
        retry_budget_floor_per_second: 0,
      },
    },
    dataDirectory: home,
    port,
  });
}

before(async () => {
  for (const name of ['first', 'second', 'solo'] as const) {
    const models = name === 'solo' ? ['only'] : [modelId];
    const script = await startModelScript(models, ({ socket }) =>
      socket.write(
        jsonAnswer(statuses[name], statuses[name] === 200 ? good : '{"error":{"message":"no"}}'),
      ),
    );
    scripts.set(name, script);
  }
  port = await freePort();
  product = await start();
});

after(async () => {
  await product?.stop();
  await Promise.all([...scripts.values()].map((script) => script.close()));
  rmSync(home, { recursive: true, force: true });
});

const askedOf = (name: Name): number => scripts.get(name)?.asked.length ?? 0;

async function send(model: string, times = 1): Promise<readonly number[]> {
  const answers: number[] = [];
  for (let i = 0; i < times; i++) answers.push((await ask(product, chat(model))).status);
  return answers;
}

async function listed(query = ''): Promise<readonly string[]> {
  const { status, body } = await product.json(`/api/v1/breakers${query}`);
  assert.equal(status, 200);
  return breakerListSchema.parse(body).breakers.map(({ id, state }) => `${id} ${state}`);
}

/** Sends until so many breakers are left; a client may be answered just before its probe is free. */
async function sendUntilClosed(model: string, left: number): Promise<void> {
  await until(`${left} breakers are not closed`, async () => {
    assert.deepEqual(await send(model), [200]);
    return (await listed()).length === left;
  });
}

async function cli(...words: string[]) {
  const env = { TENSORFORGE_URL: product.url, TENSORFORGE_API_KEY: product.adminKey };
  return runCommand(words, env);
}

test('without a retry earned a failure is answered as it is, and counted', async () => {
  statuses.first = 500;
  assert.deepEqual(await send(modelId), [502]);
  assert.equal(askedOf('second'), 0);
  const metrics = await metricsOf(product);
  assert.equal(sumOf(metrics, 'tensorforge_retries_refused_total'), 1);
  statuses.first = 200;
  // Earned in steps by each of the two threads; a success also ends the run of failures.
  assert.ok((await send('only', 80)).every((status) => status === 200));
  assert.deepEqual(await send(modelId), [200]);
});

test('quotas, wrong requests and wrong credentials open nothing', async () => {
  for (const status of [429, 400, 401, 404]) {
    statuses.solo = status;
    await send('only', 6);
  }
  statuses.solo = 200;
  assert.deepEqual(await listed(), []);
});

test('five failures open the breakers of backend and model, and requests go elsewhere', async () => {
  statuses.first = 500;
  assert.deepEqual(await send(modelId, 5), [200, 200, 200, 200, 200]);
  await until('the breakers are told', async () => (await listed()).length === 2);
  assert.deepEqual(await listed(), ['backend:first open', `backend:first/model:${modelId} open`]);
  const before = askedOf('first');
  assert.deepEqual(await send(modelId, 10), new Array<number>(10).fill(200));
  assert.equal(askedOf('first'), before);
});

test('whoever asks why is told: gate, list, metrics, audit; the risk of the fleet counts it', async () => {
  const explained = backendExplainSchema.parse(
    (await product.json('/api/v1/backends/first/explain')).body,
  );
  const gate = explained.gates.find(({ name }) => name === 'breaker');
  assert.equal(gate?.state, 'closed');
  assert.match(gate?.words ?? '', /^open for .*500.*tried again in/);
  assert.match(gate?.remedy ?? '', /tensorforge breakers reset backend:first/);
  const metrics = await metricsOf(product);
  const labels = { backend: 'first', model: modelId };
  assert.equal(sumOf(metrics, 'tensorforge_breaker_state', labels), 2);
  assert.equal(sumOf(metrics, 'tensorforge_breaker_state', { backend: 'second' }), 0);
  assert.equal(sumOf(metrics, 'tensorforge_breaker_transitions_total', { to: 'open' }), 2);
  const policy = policyViewSchema.parse((await product.json('/api/v1/policy')).body);
  // One of three backends takes nothing: half of a third, beside the burn of the first test.
  assert.ok(policy.up.risk >= 0.16, `risk ${policy.up.risk}`);
  await until('the audit has both', async () => {
    const { body } = await product.json(
      '/api/v1/audit/events?stream=resilience&kind=breaker_opened',
    );
    return JSON.stringify(body).includes(`backend:first/model:${modelId}`);
  });
});

test('the last backend of a model is asked although its breaker is open', async () => {
  statuses.solo = 503;
  const before = askedOf('solo');
  await send('only', 8);
  assert.ok((await listed()).includes('backend:solo open'));
  assert.equal(askedOf('solo'), before + 8);
  statuses.solo = 200;
  assert.deepEqual(await send('only'), [200]);
});

test('a restart tries what was open, one request at a time, and takes it back', async () => {
  await until('all of it is written', async () => {
    const { body } = await product.json(
      '/api/v1/audit/events?stream=resilience&kind=breaker_opened',
    );
    return (JSON.stringify(body).match(/backend:solo/g) ?? []).length >= 2;
  });
  await product.stop();
  product = await start();
  const all = await listed();
  assert.deepEqual(all, [
    'backend:first half_open',
    `backend:first/model:${modelId} half_open`,
    'backend:solo half_open',
    'backend:solo/model:only half_open',
  ]);
  await sendUntilClosed('only', 2);
  // Still broken: the probe opens it again, and the client does not notice.
  await send('only', 80);
  statuses.first = 500;
  assert.deepEqual(await send(modelId), [200]);
  await until('it is open again', async () => (await listed()).includes('backend:first open'));
});

test('a reset by command lets the next request try; two good ones close it', async () => {
  statuses.first = 200;
  const unknown = await cli('breakers', 'reset', 'backend:nobody');
  assert.notEqual(unknown.code, 0);
  assert.match(unknown.stderr, /There is no breaker/);
  for (const id of ['first', `backend:first/model:${modelId}`]) {
    const { code, stderr, stdout } = await cli('breakers', 'reset', id);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /half_open/);
  }
  const before = askedOf('first');
  await sendUntilClosed(modelId, 0);
  assert.ok(askedOf('first') >= before + 2);
  const empty = await cli('breakers', 'list', '--all', '--json');
  assert.match(empty.stdout, /"not_closed": ?0/);
});

test('who may not write may not reset, and an unknown member of the query is refused', async () => {
  const anonymous = await product.send('/api/v1/breakers/backend%3Afirst/reset', {
    method: 'POST',
  });
  assert.equal(anonymous.status, 401);
  assert.equal((await product.json('/api/v1/breakers?al=true')).status, 400);
  assert.equal((await product.json('/api/v1/breakers?all=maybe')).status, 400);
});
