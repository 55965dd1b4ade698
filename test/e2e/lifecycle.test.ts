// Operations on models through the front door: a model is closed while it is loaded and routed to when
// it is there, without anybody doing anything; the other models of its backend serve throughout; what a
// restart interrupts goes on. Simulated engines load as slowly as they are told to.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  modelUnloadedSchema,
  type OperationWire,
  operationAcceptedSchema,
  operationListSchema,
  operationSchema,
  recommendationListSchema,
} from '../../src/protocol/control/fleet-schemas.ts';
import { auditEventsSchema } from '../../src/protocol/control/platform-schemas.ts';
import { type RunningSim, startSim } from '../../src/services/sim/sim-server.ts';
import { ask, backendOf, chat, createKey, errorOf, until } from '../support/inference.ts';
import { type Product, runCommand, startProduct } from '../support/product.ts';

/** Long enough for many requests while a model is being loaded, ms of real time. */
const loadMs = 1500;

let home: string;
let one: RunningSim;
let two: RunningSim;
let lms: RunningSim;
let stuck: RunningSim;
let product: Product;
/** A load that never ends by itself. */
let stuckLoad = '';

const sim = (as: 'ollama' | 'lmstudio', models: readonly string[], slowness: number) =>
  startSim({ as, port: 0, profile: 'h100-7b', seed: 1, speed: 1, models, loadMs: slowness });

const begin = () =>
  startProduct({
    dataDirectory: home,
    sims: [],
    backends: [
      { name: 'one', url: one.url, type: 'ollama' },
      { name: 'two', url: two.url, type: 'ollama' },
      { name: 'lms', url: lms.url, type: 'lmstudio' },
      { name: 'stuck', url: stuck.url, type: 'ollama' },
      { name: 'plain', url: `${one.url}/plain`, type: 'vllm' },
    ],
    config: {
      lifecycle: { timeout_ms: 20_000 },
      health_check: { interval_seconds: 1, timeout_seconds: 1 },
    },
  });

before(async () => {
  home = mkdtempSync(join(tmpdir(), 'tf-lifecycle-'));
  one = await sim('ollama', ['big:7b', 'small:1b', 'move:7b'], loadMs);
  two = await sim('ollama', ['solo:7b', 'move:7b'], loadMs);
  lms = await sim('lmstudio', ['org/tiny'], 200);
  stuck = await sim('ollama', ['never:7b'], 3_600_000);
  product = await begin();
});

after(async () => {
  await product?.stop();
  await Promise.all([one, two, lms, stuck].map((running) => running?.stop()));
  rmSync(home, { recursive: true, force: true });
});

const post = (path: string, body: unknown) =>
  product.json(path, { method: 'POST', body: JSON.stringify(body) });

async function begun(path: string, body: unknown): Promise<string> {
  const { status, body: answer } = await post(path, body);
  assert.equal(status, 202, JSON.stringify(answer));
  return operationAcceptedSchema.parse(answer).operation_id;
}

const load = (model_id: string, backend_id: string, more = {}) =>
  begun('/v1/models/load', { model_id, backend_id, ...more });

const unload = (model: string, query: string) =>
  product.json(`/v1/models/${encodeURIComponent(model)}?${query}`, { method: 'DELETE' });

async function operation(id: string): Promise<OperationWire> {
  const { status, body } = await product.json(`/api/v1/operations/${id}`);
  assert.equal(status, 200, JSON.stringify(body));
  return operationSchema.parse(body);
}

async function ended(id: string): Promise<OperationWire> {
  await until(`the end of ${id}`, async () => (await operation(id)).completed_at !== null, 30_000);
  return operation(id);
}

async function statusOf(model: string): Promise<number> {
  return (await ask(product, chat(model, { max_tokens: 1 }))).status;
}

const loadedOn = async (id: string) => (await backendOf(product, id)).loaded_models ?? [];

describe('operations on models', () => {
  it('a load closes its model, leaves the others, and routes to it when it is there', async () => {
    await load('small:1b', 'one').then(ended);
    const id = await load('org/tiny', 'lms').then(ended);
    assert.equal(id.status, 'completed');
    const wire = await load('big:7b', 'one');
    assert.match(wire, /^op-[0-9a-f-]{36}$/);
    const during = await backendOf(product, 'one');
    assert.deepEqual(during.closed_models, [{ id: 'big:7b', reason: 'loading' }]);
    assert.equal(during.current_operation?.operation_id, wire);
    assert.equal(during.routable, true);
    assert.equal(await statusOf('small:1b'), 200, 'other models of the backend serve on');
    const completed = await ended(wire);
    assert.deepEqual([completed.status, completed.progress_percent], ['completed', 100]);
    assert.deepEqual((await backendOf(product, 'one')).closed_models, []);
    assert.equal(await statusOf('big:7b'), 200);
    await until('the probe tells of it', async () => (await loadedOn('one')).includes('big:7b'));
  });

  it('while its only backend loads it, a request hears that and when to come again', async () => {
    stuckLoad = await load('never:7b', 'stuck');
    const answer = await ask(product, chat('never:7b'));
    assert.equal(answer.status, 503, answer.text);
    assert.equal(errorOf(answer.text).context?.reason, 'models_loading');
    assert.ok(Number(answer.headers['retry-after']) >= 1);
    const again = await post('/v1/models/load', { model_id: 'never:7b', backend_id: 'stuck' });
    assert.equal(again.status, 409);
    assert.match(errorOf(JSON.stringify(again.body)).message, new RegExp(stuckLoad));
  });

  it('what cannot be is refused before anything happens, on the OpenAI face', async () => {
    const refusals: readonly (readonly [string, unknown, number, string])[] = [
      ['/v1/models/load', { model_id: 'm', backend_id: 'nobody' }, 404, 'backend_not_found'],
      ['/v1/models/load', { model_id: 'm', backend_id: 'plain' }, 501, 'not_implemented'],
      ['/v1/models/load', { model_id: 'absent:1b', backend_id: 'one' }, 404, 'model_not_found'],
      ['/v1/models/load', { model_id: 'm' }, 400, 'invalid_request_error'],
      [
        '/v1/models/migrate',
        { model_id: 'big:7b', source_backend_id: 'one', target_backend_id: 'one' },
        400,
        'invalid_request_error',
      ],
    ];
    for (const [path, body, status, code] of refusals) {
      const answer = await post(path, body);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.equal(errorOf(JSON.stringify(answer.body)).code, code);
    }
    assert.equal((await unload('big:7b', '')).status, 400, 'backend_id is required');
    assert.equal((await unload('absent', 'backend_id=one')).status, 400);
  });

  it('it needs the permission, and reading needs another', async () => {
    const key = await createKey(product, { name: 'reader', permissions: ['backends:read'] });
    const headers = { authorization: `Bearer ${key.secret}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ model_id: 'big:7b', backend_id: 'one' });
    const refused = await product.send('/v1/models/load', { method: 'POST', headers, body });
    assert.equal(refused.status, 403);
    assert.equal((await product.send('/api/v1/operations', { headers })).status, 200);
    assert.equal((await product.send('/api/v1/operations')).status, 401);
  });

  it('a model with a slash in its id is unloaded, and is not loaded twice', async () => {
    const { status, body } = await unload('org/tiny', 'backend_id=lms');
    assert.equal(status, 200, JSON.stringify(body));
    const unloaded = modelUnloadedSchema.parse(body);
    assert.match(unloaded.operation_id, /^op-unload-/);
    assert.deepEqual([unloaded.status, unloaded.vram_free_bytes], ['completed', null]);
    const again = await unload('org/tiny', 'backend_id=lms');
    assert.equal(again.status, 400);
    assert.equal(errorOf(JSON.stringify(again.body)).code, 'model_not_loaded');
    const raw = await product.json('/v1/models/org/tiny?backend_id=lms', { method: 'DELETE' });
    assert.equal(errorOf(JSON.stringify(raw.body)).code, 'model_not_loaded', 'unescaped as well');
  });

  it('a draining unload lets a running answer end and takes no new request for the model', async () => {
    await load('solo:7b', 'two').then(ended);
    const body = chat('solo:7b', { stream: true, max_tokens: 1500 });
    const stream = await product.openStream('/v1/chat/completions', body);
    assert.equal((await unload('solo:7b', 'backend_id=two')).status, 409);
    const drained = unload('solo:7b', 'backend_id=two&drain=true');
    await until('it is closed', async () => {
      const { closed_models: closed } = await backendOf(product, 'two');
      return closed.some(({ reason }) => reason === 'unloading');
    });
    const refused = await ask(product, chat('solo:7b'));
    assert.equal(errorOf(refused.text).context?.reason, 'models_loading', refused.text);
    assert.match(await stream.whole, /\[DONE\]/);
    const { status, body: answer } = await drained;
    assert.equal(status, 200, JSON.stringify(answer));
    assert.deepEqual(await loadedOnEngine(two), []);
  });

  it('a migration leaves the source serving and both open at the end', async () => {
    await load('move:7b', 'one').then(ended);
    const id = await begun('/v1/models/migrate', {
      model_id: 'move:7b',
      source_backend_id: 'one',
      target_backend_id: 'two',
    });
    assert.match(id, /^op-migrate-/);
    const [source, target] = [await backendOf(product, 'one'), await backendOf(product, 'two')];
    assert.deepEqual([source.closed_models, target.closed_models.length], [[], 1]);
    assert.equal(source.current_operation?.operation_id, id);
    assert.equal(await statusOf('move:7b'), 200, 'by its source');
    assert.deepEqual(await loadedOnEngine(two), []);
    assert.equal((await ended(id)).status, 'completed');
    assert.deepEqual(await loadedOnEngine(two), ['move:7b']);
    assert.ok((await loadedOnEngine(one)).includes('move:7b'));
  });

  it('a model that is not there is downloaded first, from the command line, with --wait', async () => {
    const env = { TENSORFORGE_URL: product.url, TENSORFORGE_API_KEY: product.adminKey };
    const words = ['models', 'load', 'new:1b', '--on', 'two', '--download', '--wait', '--json'];
    const { code, stdout, stderr } = await runCommand(words, env);
    assert.equal(code, 0, stderr);
    assert.equal(operationSchema.parse(JSON.parse(stdout)).status, 'completed');
    assert.equal(await statusOf('new:1b'), 200);
    const { body } = await product.json('/api/v1/operations?backend=two&limit=2');
    const types = operationListSchema.parse(body).operations.map((each) => each.operation_type);
    assert.deepEqual(types.sort(), ['download', 'load']);
    const missing = ['models', 'load', 'x:missing', '--on', 'two', '--download', '--wait'];
    const failed = await runCommand(missing, env);
    assert.equal(failed.code, 3, failed.stderr);
    assert.match(
      failed.stderr,
      /the download before it failed: the engine could not fetch the model/,
    );
  });

  it('what does not end in its time has failed, with words, and is open again', async () => {
    const failed = await ended(stuckLoad);
    assert.deepEqual(
      [failed.status, failed.error_details],
      ['failed', 'it did not end within 20 s'],
    );
    assert.deepEqual((await backendOf(product, 'stuck')).closed_models, []);
  });

  it('a killed process goes on with a load when it is back, and each is told once', async () => {
    await unload('big:7b', 'backend_id=one&drain=true');
    const id = await load('big:7b', 'one');
    await product.kill();
    const killedAt = Date.now();
    product = await begin();
    const completed = await ended(id);
    assert.equal(completed.status, 'completed');
    assert.ok(Date.parse(completed.completed_at ?? '') > killedAt);
    assert.deepEqual((await backendOf(product, 'one')).closed_models, []);
    assert.ok((await loadedOnEngine(one)).includes('big:7b'));
    const { body } = await product.json('/api/v1/audit/events?stream=backends&limit=1000');
    const told = auditEventsSchema
      .parse(body)
      .events.filter(({ data }) => data['operation_id'] === id)
      .map(({ kind }) => kind);
    assert.deepEqual(told.sort(), ['operation_completed', 'operation_started']);
  });

  it('advice is off unless it is switched on, and says so', async () => {
    const { status, body } = await product.json('/v1/fleet/recommendations');
    assert.equal(status, 200);
    const told = recommendationListSchema.parse(body);
    assert.deepEqual([told.fleet_enabled, told.recommendations], [false, []]);
  });
});

async function loadedOnEngine({ url }: RunningSim): Promise<string[]> {
  const answer = await fetch(`${url}/api/ps`);
  const { models } = (await answer.json()) as { models: readonly { name: string }[] };
  return models.map(({ name }) => name);
}
