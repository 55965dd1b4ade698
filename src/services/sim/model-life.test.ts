// Goal: models are loaded, used, let go and downloaded as Ollama and the llama.cpp router do it, and
// the books tell asked loads from wake-ups, so that a test can prove that probes cause neither.
// Method: plain fetch, and a server whose loads take no time or longer than the test.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { chatBody, postJson, simFor, statsNow } from './sim-fixture.ts';
import type { RunningSim } from './sim-server.ts';

const loadedList = z.object({
  models: z.array(
    z.object({ name: z.string(), size_vram: z.number(), expires_at: z.iso.datetime() }),
  ),
});

async function loadedModels(sim: RunningSim): Promise<z.infer<typeof loadedList>['models']> {
  return loadedList.parse(await (await fetch(`${sim.url}/api/ps`)).json()).models;
}

function generate(sim: RunningSim, body: Readonly<Record<string, unknown>>): Promise<Response> {
  return postJson(`${sim.url}/api/generate`, { model: 'llama3:8b', ...body });
}

test('ollama loads and unloads on a request without a prompt, and generates nothing', async (context) => {
  const sim = await simFor(context, { as: 'ollama', loadMs: 5 });
  const done = z.object({
    response: z.literal(''),
    done: z.literal(true),
    done_reason: z.string(),
  });
  const load = done.parse(await (await generate(sim, { keep_alive: '10m' })).json());
  assert.equal(load.done_reason, 'load');
  const [loaded] = await loadedModels(sim);
  // 8e9 parameters in 18 bytes for 32 of them.
  assert.deepEqual([loaded?.name, loaded?.size_vram], ['llama3:8b', 4_500_000_000]);
  const minutes = (Date.parse(loaded?.expires_at ?? '') - Date.now()) / 60_000;
  assert.ok(minutes > 9 && minutes <= 10, `${minutes}`);
  const unload = done.parse(await (await generate(sim, { prompt: '', keep_alive: 0 })).json());
  assert.equal(unload.done_reason, 'unload');
  assert.deepEqual(await loadedModels(sim), []);
  const stats = await statsNow(sim);
  assert.deepEqual(
    [stats.model_loads_total, stats.model_unloads_total, stats.model_wakes_total],
    [1, 1, 0],
  );
  assert.deepEqual([stats.generations_total, stats.vram_used_bytes], [0, 0]);
});

test('a request for an unloaded model wakes it and waits for its load', async (context) => {
  const sim = await simFor(context, { as: 'ollama', loadMs: 2000, speed: 20 });
  const timed = z.object({ load_duration: z.number(), total_duration: z.number() });
  const ask = async (): Promise<z.infer<typeof timed>> =>
    timed.parse(await (await generate(sim, { prompt: 'Why?', stream: false })).json());
  const first = await ask();
  // A load of 2000 ms of model time at 20 times the speed; timers may be a millisecond early.
  assert.ok(first.load_duration >= 99e6, `${first.load_duration}`);
  assert.ok(first.total_duration > first.load_duration);
  assert.ok((await ask()).load_duration < 99e6);
  const { model_wakes_total, model_loads_total, generations_total } = await statsNow(sim);
  assert.deepEqual([model_wakes_total, model_loads_total, generations_total], [1, 0, 2]);
});

test('what a gateway probes of ollama wakes no model and generates nothing', async (context) => {
  const sim = await simFor(context, { as: 'ollama' });
  for (const path of ['/', '/api/tags', '/api/ps', '/api/version', '/v1/models']) {
    await (await fetch(`${sim.url}${path}`)).arrayBuffer();
  }
  await (await postJson(`${sim.url}/api/show`, { model: 'llama3:8b' })).arrayBuffer();
  const stats = await statsNow(sim);
  assert.deepEqual([stats.generations_total, stats.model_wakes_total], [0, 0]);
  assert.deepEqual(stats.paths['POST /api/show'], 1);
});

test('models that do not fit beside each other give way, the longest unused first', async (context) => {
  const models = ['a:8b', 'b:8b', 'c:8b'];
  const sim = await simFor(context, { as: 'ollama', models, vramGb: 10, loadMs: 0 });
  for (const model of models) await (await generate(sim, { model })).arrayBuffer();
  assert.deepEqual(
    (await loadedModels(sim)).map(({ name }) => name),
    ['b:8b', 'c:8b'],
  );
});

test('a load that is called off tells those who wait for it', async (context) => {
  const sim = await simFor(context, { as: 'ollama', loadMs: 3_600_000 });
  const waiting = generate(sim, { prompt: 'Why?' });
  for (let state = ''; state !== 'loading'; ) {
    state = (await statsNow(sim)).models[0]?.state ?? '';
  }
  await (await generate(sim, { keep_alive: 0 })).arrayBuffer();
  assert.equal((await waiting).status, 503);
});

const progress = z.object({
  status: z.string().optional(),
  error: z.string().optional(),
  total: z.number().optional(),
  completed: z.number().optional(),
});

async function pull(sim: RunningSim, model: string): Promise<readonly z.infer<typeof progress>[]> {
  const response = await postJson(`${sim.url}/api/pull`, { model });
  const lines = (await response.text()).trim().split('\n');
  return lines.map((line) => progress.parse(JSON.parse(line)));
}

test('a pull tells its progress and adds the model, unloaded', async (context) => {
  const sim = await simFor(context, { as: 'ollama', loadMs: 20 });
  const lines = await pull(sim, 'qwen3:4b');
  assert.equal(lines[0]?.status, 'pulling manifest');
  assert.equal(lines.at(-1)?.status, 'success');
  const last = lines.filter(({ completed }) => completed !== undefined).at(-1);
  assert.deepEqual([last?.completed, last?.total], [2_250_000_000, 2_250_000_000]);
  const added = (await statsNow(sim)).models.find(({ name }) => name === 'qwen3:4b');
  assert.equal(added?.state, 'unloaded');
  assert.match((await pull(sim, 'nope:missing')).at(-1)?.error ?? '', /file does not exist/);
});

test('a client that leaves ends the pull, and the model is not added', async (context) => {
  const sim = await simFor(context, { as: 'ollama', loadMs: 3_600_000, speed: 1 });
  const client = new AbortController();
  const url = `${sim.url}/api/pull`;
  const response = await postJson(url, { model: 'qwen3:4b' }, client.signal);
  client.abort();
  await assert.rejects(response.text());
  const stats = await statsNow(sim);
  assert.deepEqual([stats.model_pulls_total, stats.models.length], [0, 2]);
});

test('a llama.cpp router loads and unloads on command and tells the state of each model', async (context) => {
  const quirks = ['llamacpp-router'] as const;
  const sim = await simFor(context, { as: 'llamacpp', quirks, loadMs: 0 });
  const list = z.object({
    data: z.array(z.object({ id: z.string(), status: z.object({ value: z.string() }) })),
  });
  const states = async (): Promise<readonly string[]> => {
    const { data } = list.parse(await (await fetch(`${sim.url}/models`)).json());
    return data.map(({ status }) => status.value);
  };
  const act = async (what: string): Promise<number> =>
    (await postJson(`${sim.url}/models/${what}`, { model: 'llama3:8b' })).status;
  assert.deepEqual(await states(), ['unloaded', 'unloaded']);
  assert.deepEqual([await act('load'), await act('load')], [200, 400]);
  assert.deepEqual(await states(), ['loaded', 'unloaded']);
  assert.deepEqual([await act('unload'), await act('unload')], [200, 400]);
  const role = z.object({ role: z.literal('router') });
  role.parse(await (await fetch(`${sim.url}/props`)).json());
  const ask = async (path: string): Promise<number> => (await fetch(`${sim.url}${path}`)).status;
  assert.equal(await ask('/props?model=llama3:8b&autoload=false'), 400);
  assert.equal(sim.work().model_wakes_total, 0);
  assert.equal(await ask('/props?model=llama3:8b'), 200);
  assert.equal(sim.work().model_wakes_total, 1);
  const chat = await postJson(`${sim.url}/v1/chat/completions`, chatBody({ model: 'nomic-embed' }));
  assert.equal(chat.status, 200);
  assert.equal(sim.work().model_wakes_total, 2);
  const unknown = await postJson(`${sim.url}/v1/chat/completions`, chatBody({ model: 'any' }));
  assert.equal(unknown.status, 400);
});
