// Goal: each engine is recognised by a shape of its own, in the order of BR 7.1, without credentials.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import {
  type Answer,
  byPath,
  sendJson,
  startServer,
} from '../../../io/http/probe/json-server.test-support.ts';
import { createProbeClient } from '../../../io/http/probe/probe-client.ts';
import { detectType } from './detect-type.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const client = createProbeClient({ monotonicMs: () => performance.now(), mayContact: () => true });

async function detected(answer: Answer): Promise<string> {
  const server = await startServer(answer);
  closers.push(() => server.close());
  const detection = await detectType(client, server.url);
  return detection.kind === 'engine' ? detection.type : detection.kind;
}

const list = (...entries: readonly unknown[]) => ({ data: entries });

test('each engine by its own shape', async () => {
  const openAi = { '/v1/models': list({ id: 'm' }) };
  const rows: readonly [string, Readonly<Record<string, unknown>>][] = [
    ['ollama', { ...openAi, '/api/tags': { models: [{ name: 'm' }] } }],
    ['ollama', { '/api/tags': { models: [] } }],
    [
      'llamacpp',
      {
        ...openAi,
        '/health': { status: 'ok' },
        '/props': { default_generation_settings: { n_ctx: 1 } },
      },
    ],
    ['lmstudio', { ...openAi, '/api/v0/models': list({ id: 'm', type: 'llm', state: 'loaded' }) }],
    ['vllm', { '/health': {}, '/v1/models': list({ id: 'm', max_model_len: 4096 }) }],
    ['generic', { ...openAi, '/health': { status: 'ok' } }],
    // llama.cpp answers Ollama's path too, with OpenAI's list beside it.
    [
      'llamacpp',
      {
        '/api/tags': { models: [{ name: 'm' }], object: 'list', data: [{ id: 'm' }] },
        '/props': { default_generation_settings: { n_ctx: 1 } },
      },
    ],
    // LM Studio once v0 is gone.
    ['lmstudio', { ...openAi, '/api/v1/models': { models: [{ key: 'm', loaded_instances: [] }] } }],
    // SGLang states windows as vLLM does; a TGI of old has no list.
    ['generic', { '/v1/models': list({ id: 'm', owned_by: 'sglang', max_model_len: 4096 }) }],
    ['generic', { '/v1/models': list({ id: 'm', owned_by: 'm' }) }],
    ['generic', { '/info': { model_id: 'm', max_total_tokens: 2048 } }],
    ['exo', { '/v1/models': list({ id: 'm', owned_by: 'exo' }) }],
  ];
  for (const [type, routes] of rows) assert.equal(await detected(byPath(routes)), type);
});

test('llama.cpp is known by its words while it loads', async () => {
  const loading = await detected((_asked, response) =>
    sendJson(response, 503, { error: { message: 'Loading model', type: 'unavailable_error' } }),
  );
  assert.equal(loading, 'llamacpp');
});

test('a server that answers every path with some JSON is no engine', async () => {
  assert.equal(
    await detected((_asked, response) => sendJson(response, 200, { error: 'x' })),
    'not_an_engine',
  );
  assert.equal(await detected((_asked, response) => response.end('<html>')), 'not_an_engine');
  assert.equal(await detected((_asked, response) => response.destroy()), 'not_an_engine');
});

test('nobody there', async () => {
  const server = await startServer(byPath({}));
  await server.close();
  assert.deepEqual(await detectType(client, server.url), { kind: 'nothing' });
});
