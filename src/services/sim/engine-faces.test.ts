// Goal: LM Studio, exo, SGLang and text-generation-inference tell what a gateway probes, in the
// shapes of their public documentation, and each quirk changes exactly what an older or otherwise
// started version has otherwise. Method: plain fetch against a running server.
//
// lmstudio.ai/docs/developer/rest, github.com/exo-explore/exo src/exo/master/api.py,
// docs.sglang.ai/basic_usage/native_api.html, huggingface.co/docs/text-generation-inference,
// github.com/ggml-org/llama.cpp tools/server/README.md, github.com/ollama/ollama docs/api.md

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { Secret } from '../../base/secret.ts';
import { faceOfQuirk, type SimQuirk, simQuirks } from '../../protocol/sim/faces.ts';
import { chatBody, postJson, simFor, stateWhen } from './sim-fixture.ts';
import type { RunningSim } from './sim-server.ts';

async function get<T>(sim: RunningSim, path: string, schema: z.ZodType<T>): Promise<T> {
  const response = await fetch(`${sim.url}${path}`);
  assert.equal(response.status, 200, path);
  return schema.parse(await response.json());
}

async function statusOf(sim: RunningSim, path: string): Promise<number> {
  const response = await fetch(`${sim.url}${path}`);
  await response.arrayBuffer();
  return response.status;
}

async function metricsOf(sim: RunningSim): Promise<string> {
  return (await fetch(`${sim.url}/metrics`)).text();
}

const nativeV0 = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      type: z.enum(['llm', 'vlm', 'embeddings']),
      state: z.enum(['loaded', 'not-loaded']),
      max_context_length: z.number(),
    }),
  ),
});

const nativeV1 = z.object({
  models: z.array(
    z.object({
      key: z.string(),
      type: z.enum(['llm', 'embedding']),
      loaded_instances: z.array(z.object({ id: z.string() })),
      max_context_length: z.number(),
      size_bytes: z.number(),
      capabilities: z.object({ vision: z.boolean(), trained_for_tool_use: z.boolean() }).optional(),
    }),
  ),
});

test('lmstudio tells type, state and window of each model, and loads and unloads', async (context) => {
  const models = ['llama3:8b', 'qwen2-vl-7b', 'nomic-embed'];
  const sim = await simFor(context, { as: 'lmstudio', models, contextLength: 8192 });
  const before = await get(sim, '/api/v0/models', nativeV0);
  assert.deepEqual(
    before.data.map(({ type, state }) => [type, state]),
    [
      ['llm', 'not-loaded'],
      ['vlm', 'not-loaded'],
      ['embeddings', 'not-loaded'],
    ],
  );
  assert.equal(before.data[0]?.max_context_length, 8192);
  const load = await postJson(`${sim.url}/api/v1/models/load`, { model: 'llama3:8b' });
  const loaded = z.object({ instance_id: z.string(), status: z.literal('loaded') });
  assert.equal(loaded.parse(await load.json()).instance_id, 'llama3:8b');
  const during = await get(sim, '/api/v1/models', nativeV1);
  assert.deepEqual(
    during.models.map((model) => model.loaded_instances.length),
    [1, 0, 0],
  );
  assert.equal(during.models[1]?.capabilities?.vision, true);
  const unload = { instance_id: 'llama3:8b' };
  assert.equal((await postJson(`${sim.url}/api/v1/models/unload`, unload)).status, 200);
  assert.equal((await postJson(`${sim.url}/api/v1/models/unload`, unload)).status, 404);
  assert.deepEqual([sim.work().model_loads_total, sim.work().model_wakes_total], [1, 0]);
});

test('lmstudio answers 200 on a path that it does not know, and says so in words', async (context) => {
  const sim = await simFor(context, { as: 'lmstudio' });
  const told = await get(sim, '/api/tags', z.object({ error: z.string() }));
  assert.equal(told.error, 'Unexpected endpoint or method. (GET /api/tags)');
});

test('exo lists a catalogue and tells in its state which models have an instance', async (context) => {
  const state = z.object({
    instances: z.record(
      z.string(),
      z.object({
        MlxRingInstance: z.object({
          shardAssignments: z.object({
            modelId: z.string(),
            runnerToShard: z.record(z.string(), z.unknown()),
          }),
        }),
      }),
    ),
    runners: z.record(z.string(), z.record(z.string(), z.unknown())),
  });
  const running = async (quirks: readonly SimQuirk[]): Promise<readonly string[]> => {
    const sim = await simFor(context, { as: 'exo', quirks });
    const { instances, runners } = await get(sim, '/state', state);
    const models = Object.values(instances).map(({ MlxRingInstance: { shardAssignments } }) => {
      const [runner = ''] = Object.keys(shardAssignments.runnerToShard);
      assert.deepEqual(runners[runner], { RunnerReady: {} });
      return shardAssignments.modelId;
    });
    const list = z.object({ data: z.array(z.unknown()) });
    assert.equal((await get(sim, '/v1/models', list)).data.length, 2);
    const url = `${sim.url}/v1/chat/completions`;
    const status = async (model: string): Promise<number> =>
      (await postJson(url, chatBody({ model }))).status;
    const expected = models.includes('nomic-embed') ? 200 : 404;
    assert.deepEqual([await status('llama3:8b'), await status('nomic-embed')], [200, expected]);
    return models;
  };
  assert.deepEqual(await running([]), ['llama3:8b', 'nomic-embed']);
  assert.deepEqual(await running(['exo-catalogue']), ['llama3:8b']);
});

test('sglang tells model, server and metrics; only its deep health check generates', async (context) => {
  const sim = await simFor(context, { as: 'sglang', contextLength: 4096 });
  const model = z.object({ model_path: z.string(), is_generation: z.literal(true) });
  assert.equal((await get(sim, '/get_model_info', model)).model_path, 'llama3:8b');
  const server = z.object({ max_running_requests: z.number(), version: z.string() });
  assert.equal((await get(sim, '/get_server_info', server)).max_running_requests, 256);
  const list = z.object({ data: z.array(z.object({ max_model_len: z.number() })) });
  assert.equal((await get(sim, '/v1/models', list)).data[0]?.max_model_len, 4096);
  const metrics = await metricsOf(sim);
  for (const name of ['num_running_reqs', 'num_queue_reqs', 'token_usage', 'cache_hit_rate']) {
    assert.match(
      metrics,
      new RegExp(`^sglang:${name}\\{[^}]*model_name="llama3:8b"[^}]*\\} 0$`, 'm'),
    );
  }
  assert.equal(await statusOf(sim, '/health'), 200);
  assert.equal(sim.work().generations_total, 0);
  assert.equal(await statusOf(sim, '/health_generate'), 200);
  assert.equal(sim.work().generations_total, 1);
});

test('tgi tells info, health and metrics', async (context) => {
  const sim = await simFor(context, { as: 'tgi', maxRunning: 7, contextLength: 2048 });
  const info = z.object({
    model_id: z.string(),
    max_concurrent_requests: z.number(),
    max_total_tokens: z.number(),
    version: z.string(),
  });
  const told = await get(sim, '/info', info);
  assert.deepEqual([told.model_id, told.max_concurrent_requests], ['llama3:8b', 7]);
  assert.equal(told.max_total_tokens, 2048);
  assert.equal(await statusOf(sim, '/health'), 200);
  const metrics = await metricsOf(sim);
  assert.match(metrics, /^tgi_batch_current_size 0$/m);
  assert.match(metrics, /^tgi_queue_size 0$/m);
});

/** For each quirk a question and what its answer begins with, without and with the quirk. */
const answers: Readonly<
  Partial<Record<SimQuirk, readonly [path: string, without: RegExp, withQuirk: RegExp]>>
> = {
  'ollama-no-ps': ['/api/ps', /^200 {"models":\[\]}/, /^404 /],
  'vllm-old-metrics': ['/metrics', /kv_cache_usage_perc/, /vllm:gpu_cache_usage_perc/],
  'vllm-no-max-len': ['/v1/models', /max_model_len/, /^200 (?!.*max_model_len)/],
  'llamacpp-no-props': ['/props', /^200 .*total_slots/, /^404 /],
  'llamacpp-no-slot': ['/health', /^200 {"status":"ok"}$/, /^200 .*"slots_idle":4/],
  'llamacpp-no-models-route': ['/v1/models', /^200 /, /^404 /],
  'llamacpp-no-metrics': ['/metrics', /^200 /, /^501 .*not_supported_error/],
  'llamacpp-old-metrics': ['/metrics', /^200 (?!.*kv_cache)/s, /llamacpp:kv_cache_usage_ratio 0/],
  'lmstudio-v0-only': ['/api/v1/models', /^200 {"models"/, /^200 {"error":"Unexpected/],
  'lmstudio-no-native': ['/api/v0/models', /^200 {"object"/, /^200 {"error":"Unexpected/],
  'exo-no-state': ['/state', /^200 {"instances"/, /^404 /],
  'openai-unknown-ids': ['/v1/models', /^200 (?!.*gpt-99)/, /gpt-99-aurora/],
  'sglang-no-metrics': ['/metrics', /^200 /, /^404 /],
  'tgi-no-models-route': ['/v1/models', /^200 /, /^404 /],
};

/** Those with tests of their own, here and in other files. */
const elsewhere: readonly SimQuirk[] = [
  'ollama-old-show',
  'llamacpp-loading',
  'llamacpp-router',
  'exo-catalogue',
  'anthropic-old-list',
];

test('each quirk changes the answer that it is about', async (context) => {
  for (const quirk of simQuirks) {
    const expected = answers[quirk];
    if (expected === undefined) {
      assert.ok(elsewhere.includes(quirk), quirk);
      continue;
    }
    const as = faceOfQuirk(quirk);
    assert.ok(as !== undefined, quirk);
    const [path, ...patterns] = expected;
    for (const [i, pattern] of patterns.entries()) {
      const sim = await simFor(context, { as, quirks: i === 0 ? [] : [quirk] });
      const response = await fetch(`${sim.url}${path}`);
      assert.match(`${response.status} ${await response.text()}`, pattern, quirk);
    }
  }
});

test('ollama-old-show reads `name` alone and tells no abilities', async (context) => {
  const sim = await simFor(context, { as: 'ollama', quirks: ['ollama-old-show'] });
  const ask = (body: unknown): Promise<Response> => postJson(`${sim.url}/api/show`, body);
  assert.equal((await ask({ model: 'llama3:8b' })).status, 400);
  const shown = z.looseObject({}).parse(await (await ask({ name: 'llama3:8b' })).json());
  assert.deepEqual(Object.keys(shown), ['modelfile', 'parameters', 'template', 'details']);
});

test('llamacpp-no-slot answers 503 while every slot works', async (context) => {
  const quirks = ['llamacpp-no-slot'] as const;
  const sim = await simFor(context, { as: 'llamacpp', quirks, maxRunning: 1, speed: 1 });
  const client = new AbortController();
  const body = chatBody({ max_tokens: 5000 });
  const cut = assert.rejects(postJson(`${sim.url}/v1/chat/completions`, body, client.signal));
  await stateWhen(sim, (state) => state.running === 1);
  const busy = await fetch(`${sim.url}/health`);
  const words = { status: 'no slot available', slots_idle: 0, slots_processing: 1 };
  assert.deepEqual([busy.status, await busy.json()], [503, words]);
  client.abort();
  await cut;
});

test('llamacpp-loading answers 503 on every route until its model is read', async (context) => {
  const options = { as: 'llamacpp', quirks: ['llamacpp-loading'], speed: 1 } as const;
  const slow = await simFor(context, { ...options, loadMs: 3_600_000 });
  for (const path of ['/health', '/props', '/v1/models', '/api/tags']) {
    const answer = await fetch(`${slow.url}${path}`);
    const error = { code: 503, message: 'Loading model', type: 'unavailable_error' };
    assert.deepEqual([answer.status, await answer.json()], [503, { error }], path);
  }
  const ready = await simFor(context, { ...options, loadMs: 0 });
  assert.equal(await statusOf(ready, '/health'), 200);
});

test('a quirk of another face and a key where there are none are refused together', async (context) => {
  const quirks = ['vllm-old-metrics', 'ollama-no-ps'] as const;
  await assert.rejects(simFor(context, { as: 'exo', quirks, apiKey: new Secret('x') }), {
    code: 'config_invalid',
    message: /vllm-old-metrics is not for exo.*ollama-no-ps is not.*api-key is not for exo/,
  });
});
