// Goal: each face answers on the endpoints that a gateway probes (specification BR 7.1), in the
// shapes of the real servers. Method: plain fetch against a running server.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { Secret } from '../../base/secret.ts';
import { chatBody, postJson, simFor } from './sim-fixture.ts';
import type { RunningSim } from './sim-server.ts';

async function get<T>(sim: RunningSim, path: string, schema: z.ZodType<T>): Promise<T> {
  const response = await fetch(`${sim.url}${path}`);
  assert.equal(response.status, 200, path);
  return schema.parse(await response.json());
}

const modelList = z.object({
  object: z.literal('list'),
  data: z.array(z.object({ id: z.string(), object: z.literal('model') }).loose()),
});

const openaiFaces = [
  'ollama',
  'vllm',
  'llamacpp',
  'openai',
  'lmstudio',
  'exo',
  'sglang',
  'tgi',
  'generic',
] as const;

for (const as of openaiFaces) {
  test(`${as} lists its models under /v1 and gives each by name`, async (context: TestContext) => {
    const sim = await simFor(context, { as });
    const list = await get(sim, '/v1/models', modelList);
    assert.deepEqual(
      list.data.map((model) => model.id),
      ['llama3:8b', 'nomic-embed'],
    );
    const one = await get(sim, '/v1/models/llama3:8b', z.object({ id: z.string() }));
    assert.equal(one.id, 'llama3:8b');
  });
}

for (const as of ['ollama', 'vllm', 'llamacpp', 'openai', 'generic', 'exo'] as const) {
  test(`${as} answers 404, 405 and 400 with its own envelope`, async (context: TestContext) => {
    const sim = await simFor(context, { as });
    const statuses: number[] = [];
    for (const call of [
      fetch(`${sim.url}/v1/nothing`),
      fetch(`${sim.url}/v1/chat/completions`),
      postJson(`${sim.url}/v1/chat/completions`, { model: 'llama3:8b', messages: [] }),
      postJson(`${sim.url}/v1/chat/completions`, 'text'),
    ]) {
      const response = await call;
      statuses.push(response.status);
      const body = z.object({ error: z.object({ message: z.string(), type: z.string() }).loose() });
      assert.ok(body.safeParse(await response.json()).success);
    }
    assert.deepEqual(statuses, [404, 405, 400, 400]);
  });
}

test('ollama tells tags, capabilities, context, version and what is loaded', async (context) => {
  const sim = await simFor(context, { as: 'ollama', contextLength: 8192 });
  const named = z.object({ models: z.array(z.object({ name: z.string() }).loose()) });
  const tags = await get(sim, '/api/tags', named);
  assert.deepEqual(
    tags.models.map((model) => model.name),
    ['llama3:8b', 'nomic-embed'],
  );
  await get(sim, '/api/version', z.object({ version: z.string() }));
  assert.deepEqual((await get(sim, '/api/ps', named)).models, []);

  const show = z.object({
    capabilities: z.array(z.string()),
    model_info: z.record(z.string(), z.unknown()),
  });
  const shown = await postJson(`${sim.url}/api/show`, { model: 'llama3:8b' });
  const { capabilities, model_info: info } = show.parse(await shown.json());
  assert.ok(capabilities.includes('completion'));
  assert.equal(info['llama.context_length'], 8192);
  const older = await postJson(`${sim.url}/api/show`, { name: 'nomic-embed' });
  assert.deepEqual(show.parse(await older.json()).capabilities, ['embedding']);
  const missing = await postJson(`${sim.url}/api/show`, { model: 'nope' });
  assert.equal(missing.status, 404);
  assert.deepEqual(await missing.json(), { error: "model 'nope' not found" });

  await (await postJson(`${sim.url}/api/chat`, chatBody({ stream: false }))).arrayBuffer();
  const loaded = await get(
    sim,
    '/api/ps',
    z.object({ models: z.array(z.object({ name: z.string(), size_vram: z.number() })) }),
  );
  assert.equal(loaded.models[0]?.name, 'llama3:8b');
});

test('ollama chats and generates in lines of JSON, streaming unless told not to', async (context) => {
  const sim = await simFor(context, { as: 'ollama' });
  const line = z
    .object({
      done: z.boolean(),
      message: z.object({ content: z.string() }).optional(),
      response: z.string().optional(),
      eval_count: z.number().optional(),
    })
    .loose();
  const body = chatBody({ options: { num_predict: 5 } });
  const streamed = await postJson(`${sim.url}/api/chat`, body);
  assert.equal(streamed.headers.get('content-type'), 'application/x-ndjson');
  const lines = (await streamed.text())
    .trim()
    .split('\n')
    .map((text) => line.parse(JSON.parse(text)));
  const text = lines.map((one) => one.message?.content ?? '').join('');
  assert.equal(lines.at(-1)?.eval_count, 5);
  assert.deepEqual(
    lines.map((one) => one.done),
    [...lines.slice(1).map(() => false), true],
  );
  const whole = await postJson(`${sim.url}/api/chat`, {
    ...z.looseObject({}).parse(body),
    stream: false,
  });
  assert.equal(line.parse(await whole.json()).message?.content, text);

  const generated = await postJson(`${sim.url}/api/generate`, {
    model: 'llama3:8b',
    prompt: 'Why?',
    stream: false,
    options: { num_predict: 3 },
  });
  assert.equal(
    line
      .parse(await generated.json())
      .response?.trim()
      .split(' ').length,
    3,
  );
  const embedded = await postJson(`${sim.url}/api/embed`, {
    model: 'nomic-embed',
    input: ['a', 'b'],
  });
  const { embeddings } = z
    .object({ embeddings: z.array(z.array(z.number())) })
    .parse(await embedded.json());
  assert.deepEqual(
    embeddings.map((vector) => vector.length),
    [384, 384],
  );
});

test('ollama finds a model without its :latest', async (context) => {
  const sim = await simFor(context, { as: 'ollama', models: ['mistral:latest'] });
  const response = await postJson(`${sim.url}/v1/chat/completions`, chatBody({ model: 'mistral' }));
  assert.equal(response.status, 200);
});

test('vllm tells its context length, health, version and metrics', async (context) => {
  const sim = await simFor(context, { as: 'vllm', contextLength: 2048 });
  const list = await get(
    sim,
    '/v1/models',
    z.object({ data: z.array(z.object({ max_model_len: z.number(), root: z.string() })) }),
  );
  assert.equal(list.data[0]?.max_model_len, 2048);
  assert.equal((await fetch(`${sim.url}/health`)).status, 200);
  await get(sim, '/version', z.object({ version: z.string() }));
  await (await postJson(`${sim.url}/v1/chat/completions`, chatBody())).arrayBuffer();
  const metrics = await (await fetch(`${sim.url}/metrics`)).text();
  const labels = '{engine="0",model_name="llama3:8b"}';
  for (const expected of [
    `vllm:num_requests_running${labels} 0`,
    `vllm:num_requests_waiting${labels} 0`,
    `vllm:kv_cache_usage_perc${labels} 0`,
    `vllm:generation_tokens_total${labels} 8`,
    `vllm:prefix_cache_queries_total${labels} 6`,
    `vllm:prefix_cache_hits_total${labels} 0`,
    `vllm:time_to_first_token_seconds_count${labels} 1`,
    `vllm:inter_token_latency_seconds_count${labels} 7`,
    `vllm:e2e_request_latency_seconds_count${labels} 1`,
    `vllm:request_queue_time_seconds_count${labels} 1`,
    `vllm:num_preemptions_total${labels} 0`,
  ]) {
    assert.ok(metrics.includes(`${expected}\n`), `${expected} in\n${metrics}`);
  }
});

test('vllm and openai refuse what is longer than the context, others shorten it', async (context) => {
  for (const [as, status] of [
    ['vllm', 400],
    ['openai', 400],
    ['llamacpp', 200],
    ['ollama', 200],
  ] as const) {
    const sim = await simFor(context, { as, contextLength: 128 });
    const path = `${sim.url}/v1/chat/completions`;
    const response = await postJson(path, chatBody({ max_tokens: 1000 }));
    assert.equal(response.status, status, as);
    await response.arrayBuffer();
    const content = 'x'.repeat(4000);
    const over = await postJson(path, chatBody({ messages: [{ role: 'user', content }] }));
    assert.equal(over.status, 400, as);
  }
});

test('llamacpp tells health, context per slot, slots and metrics', async (context) => {
  const sim = await simFor(context, { as: 'llamacpp', maxRunning: 2, contextLength: 4096 });
  assert.deepEqual(await get(sim, '/health', z.unknown()), { status: 'ok' });
  const props = await get(
    sim,
    '/props',
    z.object({
      default_generation_settings: z.object({ n_ctx: z.number() }),
      total_slots: z.number(),
      modalities: z.object({ vision: z.boolean() }),
    }),
  );
  assert.equal(props.default_generation_settings.n_ctx, 4096);
  assert.equal(props.total_slots, 2);
  const slots = await get(sim, '/slots', z.array(z.object({ is_processing: z.boolean() })));
  assert.deepEqual(
    slots.map((slot) => slot.is_processing),
    [false, false],
  );
  const metrics = await (await fetch(`${sim.url}/metrics`)).text();
  assert.match(metrics, /^llamacpp:requests_processing 0$/m);
  assert.match(metrics, /^llamacpp:requests_deferred 0$/m);
  // A llama-server answers to any model name.
  const response = await postJson(`${sim.url}/v1/chat/completions`, chatBody({ model: 'any' }));
  assert.equal(response.status, 200);
});

test('a key is wanted where the real server wants it', async (context) => {
  const expected = {
    vllm: { '/health': 200, '/metrics': 200, '/v1/models': 401 },
    llamacpp: { '/health': 200, '/v1/models': 200, '/props': 401, '/slots': 401 },
    openai: { '/v1/models': 401 },
  };
  for (const as of ['vllm', 'llamacpp', 'openai'] as const) {
    const sim = await simFor(context, { as, apiKey: new Secret('sesame') });
    for (const [path, status] of Object.entries(expected[as])) {
      assert.equal((await fetch(`${sim.url}${path}`)).status, status, `${as} ${path}`);
      const headers = { authorization: 'Bearer sesame' };
      assert.equal((await fetch(`${sim.url}${path}`, { headers })).status, 200);
    }
    const chat = await postJson(`${sim.url}/v1/chat/completions`, chatBody());
    assert.equal(chat.status, 401);
    assert.equal(sim.stats().requests_refused, 1);
  }
});

test('bad options are all told at once, and a taken port is told with its remedy', async (context) => {
  await assert.rejects(
    simFor(context, { as: 'ollama', models: [], speed: 0, apiKey: new Secret('x') }),
    {
      code: 'config_invalid',
      message: /models must.*speed must.*api-key is not for ollama/,
    },
  );
  const first = await simFor(context, { as: 'vllm' });
  await assert.rejects(simFor(context, { as: 'vllm', port: first.port }), {
    code: 'config_invalid',
    message: /cannot listen.*EADDRINUSE.*--port/,
  });
});
