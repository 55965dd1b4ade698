// Goal: limits of keys, groups and the installation hold on all gateway threads from the moment they
// are set, say what is left and when to come again, and lie where people look. Method: scripted backends
// that answer when they are told to, so that every count is known; minutes that no machine waits out.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type LimitWire, limitSchema } from '../../src/protocol/control/limit-schemas.ts';
import { auditEventsSchema } from '../../src/protocol/control/platform-schemas.ts';
import { usageSchema } from '../../src/protocol/control/usage-schemas.ts';
import {
  type Answer,
  type Asked,
  ask,
  chat,
  createKey,
  errorOf,
  jsonAnswer,
  type ModelScript,
  startModelScript,
  until,
} from '../support/inference.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { type Product, startProduct } from '../support/product.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const home = temporaryFolder();
const priceFile = join(home, 'prices.yaml');
const prices = [
  'dated: 2026-11-01',
  'prices:',
  '  - backend: priced',
  '    input_usd_per_million: 0',
  '    output_usd_per_million: 10',
].join('\n');

/** 1000 tokens in and out. */
const usage = { prompt_tokens: 400, completion_tokens: 600 };
const whole = JSON.stringify({ choices: [{ message: { content: 'Hi there you' } }], usage });

let product: Product;
let priced: ModelScript;
let open: ModelScript;
const held: Asked[] = [];

before(async () => {
  writeFileSync(priceFile, prices);
  priced = await startModelScript(['quick', 'held'], (asked) => {
    if (asked.body.includes('"held"')) held.push(asked);
    else asked.socket.write(jsonAnswer(200, whole));
  });
  open = await startModelScript(['far'], ({ socket }) => socket.write(jsonAnswer(200, whole)));
  product = await startProduct({
    dataDirectory: home,
    sims: [],
    backends: [
      { name: 'priced', url: priced.url, type: 'generic' },
      { name: 'open', url: open.url, type: 'generic', zone: 'open' },
    ],
    config: { prices: { file: priceFile }, server: { threads: 2 } },
  });
});

after(async () => {
  await product?.stop();
  for (const script of [priced, open]) await script?.close();
  rmSync(home, { recursive: true, force: true });
});

async function set(place: string, limit: Readonly<Record<string, unknown>>): Promise<void> {
  const init = { method: 'PUT', body: JSON.stringify(limit) };
  const { status, body } = await product.json(`/api/v1/limits/${place}`, init);
  assert.equal(status, 200, JSON.stringify(body));
}

type Left = LimitWire['left'];

async function leftOf(place: string): Promise<Left> {
  const { body } = await product.json(`/api/v1/limits/${place}`);
  return limitSchema.parse(body).left;
}

/** An answer may reach its client a moment before its thread has written down that it is over. */
async function untilLeft(place: string, what: keyof Left, count: number): Promise<void> {
  await until(`${count} are left of ${place}`, async () => (await leftOf(place))[what] === count);
}

async function clear(place: string): Promise<void> {
  const { status } = await product.json(`/api/v1/limits/${place}`, { method: 'DELETE' });
  assert.equal(status, 204);
}

/** A key of its own, so that no test uses up what another counts. */
function newKey() {
  const permissions = ['inference:use', 'models:read', 'group:read'];
  return createKey(product, { name: 'limited', permissions });
}

function askHeld(key: string): Promise<Answer> {
  return ask(product, chat('held', { max_tokens: 1000 }), { key });
}

async function heldOnes(count: number): Promise<void> {
  await until(`${count} are at the backend`, () => held.length === count);
}

function answerHeld(): void {
  for (const { socket } of held.splice(0)) socket.write(jsonAnswer(200, whole));
}

it('without limits nothing is said of them', async () => {
  const { status, headers } = await ask(product, chat('quick'));
  assert.equal(status, 200);
  assert.deepEqual(
    Object.keys(headers).filter((name) => name.startsWith('x-ratelimit')),
    [],
  );
  const { body } = await product.json('/api/v1/limits');
  assert.deepEqual(body, { count: 0, limits: [] });
});

it('of many requests at once on two threads one a minute comes in, the others hear when', async () => {
  const { id, secret } = await newKey();
  await set(`key/${id}`, { requests_per_minute: 1 });
  const asked = Array.from({ length: 12 }, () => ask(product, chat('quick'), { key: secret }));
  const answers = await Promise.all(asked);
  const refused = answers.filter(({ status }) => status !== 200);
  assert.equal(refused.length, 11);
  for (const { status, headers, text } of refused) {
    assert.equal(status, 429);
    const { code, type } = errorOf(text);
    assert.deepEqual([code, type], ['rate_limit_exceeded', 'requests']);
    const seconds = Number(headers['retry-after']);
    const ms = Number(headers['retry-after-ms']);
    assert.ok(seconds >= 1 && seconds <= 60, String(seconds));
    assert.equal(seconds, Math.ceil(ms / 1000));
    assert.equal(headers['x-should-retry'], 'true');
    assert.equal(headers['x-ratelimit-limit-requests'], '1');
    assert.equal(headers['x-ratelimit-remaining-requests'], '0');
    assert.match(String(headers['x-ratelimit-reset-requests']), /^(1m|\d+s|\d+ms)$/);
    assert.equal(headers['x-ratelimit-limit-tokens'], undefined);
  }
  const me = await product.send('/api/v1/me', { headers: { authorization: `Bearer ${secret}` } });
  assert.equal(me.headers['x-ratelimit-remaining-requests'], '0', 'the control API says so too');
});

it('requests at once are counted over threads, also those from before the limit', async () => {
  const { id, secret } = await newKey();
  const first = askHeld(secret);
  await heldOnes(1);
  await set(`key/${id}`, { concurrent_requests: 1 });
  const full = await ask(product, chat('quick'), { key: secret });
  assert.deepEqual([full.status, errorOf(full.text).type], [429, 'requests']);
  assert.equal(full.headers['retry-after'], '1');
  await set(`key/${id}`, { concurrent_requests: 2 });
  const second = askHeld(secret);
  await heldOnes(2);
  assert.equal((await ask(product, chat('quick'), { key: secret })).status, 429);
  answerHeld();
  assert.deepEqual([(await first).status, (await second).status], [200, 200]);
  await untilLeft(`key/${id}`, 'concurrent_requests', 2);
  assert.equal((await ask(product, chat('quick'), { key: secret })).status, 200);
});

it('tokens are settled with what was used, and what refuses them burns nothing else', async () => {
  const { id, secret } = await newKey();
  // The request is larger than the limit: it comes in with a whole minute, and then 999 are owed.
  await set(`key/${id}`, { tokens_per_minute: 1 });
  await set('group/admin', { concurrent_requests: 1 });
  await untilLeft('group/admin', 'concurrent_requests', 1);
  const first = await ask(product, chat('quick', { max_tokens: 1000 }), { key: secret });
  assert.equal(first.status, 200);
  assert.equal(first.headers['x-ratelimit-remaining-tokens'], '0');
  await untilLeft('group/admin', 'concurrent_requests', 1);
  for (let i = 0; i < 2; i++) {
    const next = await ask(product, chat('quick', { max_tokens: 1 }), { key: secret });
    assert.deepEqual([next.status, errorOf(next.text).type], [429, 'tokens'], next.text);
    assert.ok(Number(next.headers['retry-after']) > 900 * 60, String(next.headers['retry-after']));
  }
  // A refused one is in flight nowhere, and the wider scope takes others.
  await untilLeft('group/admin', 'concurrent_requests', 1);
  assert.equal((await ask(product, chat('quick'))).status, 200);
  await clear('group/admin');
});

it('of a hundred requests at once a budget of a key for one lets one in', async () => {
  const { id, secret } = await newKey();
  // 1000 tokens out are booked, at 10 micro-USD each.
  await set(`key/${id}`, { month_budget_usd: 0.0125 });
  let answered = 0;
  const asked = Array.from({ length: 100 }, () => askHeld(secret).finally(() => answered++));
  await until('all but one are answered', () => answered === 99 && held.length === 1);
  answerHeld();
  const answers = await Promise.all(asked);
  const bad = answers.filter(({ status }) => status !== 200);
  assert.equal(bad.length, 99);
  for (const { status, headers, text } of bad) {
    const { code, type } = errorOf(text);
    assert.deepEqual([status, code, type], [429, 'insufficient_quota', 'insufficient_quota']);
    assert.equal(headers['x-should-retry'], 'false');
    assert.equal(headers['retry-after'], undefined);
  }
  // 600 tokens were used of the 1000 that were booked.
  await untilLeft(`key/${id}`, 'month_budget_usd', 0.0065);
  // A budget that is set anew knows what the month has cost: nothing is left of this one.
  await clear(`key/${id}`);
  await set(`key/${id}`, { month_budget_usd: 0.006 });
  assert.equal((await leftOf(`key/${id}`)).month_budget_usd, 0);
  const alarms = '/api/v1/audit/events?stream=edge&kind=budget_threshold_crossed';
  const { events } = auditEventsSchema.parse((await product.json(alarms)).body);
  assert.deepEqual(events, [], '48 % were no threshold, and what is spent before is not told');
  const spent = await ask(product, chat('quick', { max_tokens: 1 }), { key: secret });
  assert.deepEqual([spent.status, errorOf(spent.text).code], [429, 'insufficient_quota']);
});

it('a limit narrows models and zones', async () => {
  const { id, secret } = await newKey();
  await set(`key/${id}`, { models: ['quick', 'far'], zones: ['restricted'] });
  await set('installation/all', { models: ['*a*', 'quick'] });
  const statusOf = async (model: string) => {
    const { status, text } = await ask(product, chat(model), { key: secret });
    return status === 200 ? status : (errorOf(text).context?.reason ?? errorOf(text).code);
  };
  assert.equal(await statusOf('quick'), 200);
  assert.equal(await statusOf('held'), 'model_not_found');
  assert.equal(await statusOf('far'), 'privacy_requirement');
  const list = await ask(product, '', { method: 'GET', path: '/v1/models', key: secret });
  const ids = (JSON.parse(list.text) as { data: { id: string }[] }).data.map((one) => one.id);
  assert.deepEqual(ids.sort(), ['far', 'quick']);
  await clear('installation/all');
});

it('members read what holds for them, and only who may change the configuration sets it', async () => {
  const { id, secret } = await newKey();
  const admin = await createKey(product, { name: 'a', permissions: ['group:admin'] });
  const send = (method: string, place: string, key: string, body?: unknown) =>
    product.send(`/api/v1/limits/${place}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const some = { requests_per_minute: 5 };
  assert.equal((await send('PUT', `key/${id}`, secret, some)).status, 403);
  assert.equal((await send('PUT', 'group/admin', admin.secret, some)).status, 403);
  assert.equal((await send('PUT', `key/${id}`, admin.secret, some)).status, 200);
  assert.equal((await send('GET', `key/${id}`, secret)).status, 200);
  assert.equal((await send('GET', 'installation/all', secret)).status, 403);
  assert.equal((await send('GET', 'group/admin', product.adminKey)).status, 404);
  assert.equal((await send('PUT', 'group/nobody', product.adminKey, some)).status, 404);
  assert.equal((await send('PUT', 'key/key_none', product.adminKey, some)).status, 404);
  assert.equal((await send('PUT', 'planet/all', product.adminKey, some)).status, 404);
  for (const bad of [{}, { requests_per_minute: 0 }, { zones: ['open'] }, { colour: 1 }]) {
    const { status, text } = await send('PUT', `key/${id}`, product.adminKey, bad);
    assert.equal(status, 400, text);
  }
  const budget = await send('PUT', 'installation/all', product.adminKey, { month_budget_usd: 5 });
  assert.deepEqual([budget.status, budget.text.includes('budget.monthly_limit_usd')], [400, true]);
  const { text } = await product.send('/api/v1/usage', {
    headers: { authorization: `Bearer ${secret}` },
  });
  const { limits } = usageSchema.parse(JSON.parse(text));
  assert.deepEqual(
    limits.map((limit) => [limit.scope, limit.id, limit.requests_per_minute]),
    [['key', id, 5]],
  );
});

it('the command line sets, shows and clears them, and every change is an event', async () => {
  const cli = async (...args: readonly string[]) => {
    const env = { ...process.env, TENSORFORGE_DATA_DIR: product.dataDirectory };
    const { stdout } = await promisify(execFile)(process.execPath, [mainFile, ...args], { env });
    return stdout;
  };
  await cli('limits', 'set', 'group', 'admin', '--requests', '600', '--budget', '250');
  const shown = await cli(
    'limits',
    'set',
    'group',
    'admin',
    '--tokens',
    '9000',
    '--requests',
    'none',
  );
  const [head = '', row = ''] = shown
    .split('\n')
    .map((line) => line.split('\t').slice(0, 6).join(' '));
  assert.equal(
    head,
    'scope id requests_per_minute tokens_per_minute concurrent_requests month_budget_usd',
  );
  assert.equal(row, 'group admin  9000  250');
  await cli('limits', 'clear', 'group', 'admin');
  assert.doesNotMatch(await cli('limits', 'list'), /^group/m);
  const path = '/api/v1/audit/events?stream=identity&kind=limit_changed&limit=1000';
  const { events } = auditEventsSchema.parse((await product.json(path)).body);
  const ofGroup = events.filter(({ subject }) => subject === 'limit:group:admin').slice(-3);
  assert.deepEqual(
    ofGroup.map(({ data }) => [data['before'], data['after']]),
    [
      [null, { requests_per_minute: 600, month_budget_micro_usd: 250_000_000 }],
      [
        { requests_per_minute: 600, month_budget_micro_usd: 250_000_000 },
        { tokens_per_minute: 9000, month_budget_micro_usd: 250_000_000 },
      ],
      [{ tokens_per_minute: 9000, month_budget_micro_usd: 250_000_000 }, null],
    ],
  );
});
