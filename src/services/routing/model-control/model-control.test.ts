// Goal: what each engine is asked and what its answers mean, fixtures written from their documentation.
// Method: real HTTP servers, the real client; an engine of every kind and the ways in which it refuses.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, test } from 'node:test';
import type { BackendType } from '../../../base/backend-type.ts';
import type { BackendId } from '../../../base/brand.ts';
import { Secret } from '../../../base/secret.ts';
import {
  type Asked,
  sendJson,
  startServer,
  type TestServer,
} from '../../../io/http/probe/json-server.test-support.ts';
import { createLineClient } from '../../../io/http/probe/line-client.ts';
import { createProbeClient } from '../../../io/http/probe/probe-client.ts';
import type { ProbeTarget } from '../adapters/probe-result.ts';
import { createModelControl } from './model-control.ts';

const options = { monotonicMs: () => performance.now(), mayContact: () => true };
const control = createModelControl({
  client: createProbeClient(options),
  postForLines: createLineClient(options),
  readCredential: (name) => (name === 'TENSORFORGE_BACKEND_KEY_X' ? new Secret('k1') : undefined),
  lookMs: 5000,
  // Pauses between two questions pass at once.
  after: (_delayMs, callback) => {
    const timer = setImmediate(callback);
    return () => clearImmediate(timer);
  },
});

type Routes = Readonly<Record<string, (asked: Asked, response: ServerResponse) => void>>;

const servers: TestServer[] = [];
after(() => Promise.all(servers.map((server) => server.close())));

async function engine(backendType: BackendType, routes: Routes, over: Partial<ProbeTarget> = {}) {
  const server = await startServer((asked, response) => {
    const route = routes[`${asked.method} ${asked.path}`];
    if (route === undefined) sendJson(response, 404, { error: 'not found' });
    else route(asked, response);
  });
  servers.push(server);
  const target: ProbeTarget = {
    id: 'box' as BackendId,
    url: server.url,
    backendType,
    apiKeyEnv: undefined,
    discoverySource: 'static',
    approved: true,
    ...over,
  };
  const signal = new AbortController().signal;
  return { server, target, signal, call: { target, modelId: 'm', timeoutMs: 5000, signal } };
}

function answers(body: unknown, status = 200) {
  return (_asked: Asked, response: ServerResponse): void => sendJson(response, status, body);
}

function bodies({ asked }: TestServer): unknown[] {
  return asked.filter(({ body }) => body !== '').map(({ path, body }) => [path, JSON.parse(body)]);
}

// ---- Ollama ----------------------------------------------------------------------------------

const ollamaShown: Routes = {
  'GET /api/ps': answers({
    models: [
      { name: 'llama3:8b', size: 6e9, size_vram: 5e9 },
      { name: 'nomic:latest', size_vram: 1e9 },
      { name: '\u0000bad', size_vram: -4 },
    ],
  }),
  'GET /api/tags': answers({
    models: [{ name: 'llama3:8b' }, { name: 'nomic:latest' }, { name: 'x' }],
  }),
};

test('Ollama shows what is in memory, what is there, and what it takes', async () => {
  const { target, signal } = await engine('ollama', ollamaShown);
  const state = await control.look(target, signal);
  assert.ok(state.kind === 'shown');
  assert.deepEqual([...state.loaded], ['llama3:8b', 'nomic:latest']);
  assert.deepEqual([...state.known], ['llama3:8b', 'nomic:latest', 'x']);
  assert.deepEqual(state.memory, { usedBytes: 6e9, totalBytes: undefined });
});

test('an Ollama that does not tell what is in memory cannot be told to', async () => {
  const { target, signal } = await engine('ollama', { 'GET /api/tags': answers({ models: [] }) });
  const state = await control.look(target, signal);
  assert.ok(state.kind === 'unsupported');
  assert.match(state.words, /0\.1\.38/);
});

test('Ollama takes short names, and they are full ones here', async () => {
  const { target } = await engine('ollama', {});
  const names = ['llama3', 'llama3:8b', 'hf.co:443/org/model', 'hf.co/org/model:Q4'];
  assert.deepEqual(
    names.map((name) => control.fullName(target, name)),
    ['llama3:latest', 'llama3:8b', 'hf.co:443/org/model:latest', 'hf.co/org/model:Q4'],
  );
});

test('Ollama loads for ever and unloads by an empty prompt that is kept so long', async () => {
  const { server, call } = await engine('ollama', {
    'POST /api/generate': answers({ done: true }),
  });
  assert.deepEqual(await control.load(call), { ok: true });
  assert.deepEqual(await control.unload(call), { ok: true });
  assert.deepEqual(bodies(server), [
    ['/api/generate', { model: 'm', keep_alive: -1, stream: false }],
    ['/api/generate', { model: 'm', keep_alive: 0, stream: false }],
  ]);
});

test('a model of Ollama that embeds alone is loaded by an embedding', async () => {
  const { server, call } = await engine('ollama', {
    'POST /api/generate': answers({ error: '"m" does not support generate' }, 400),
    'POST /api/embed': answers({ embeddings: [] }),
  });
  assert.deepEqual(await control.load(call), { ok: true });
  assert.deepEqual(bodies(server).at(-1), [
    '/api/embed',
    { model: 'm', input: '', keep_alive: -1 },
  ]);
});

test('a refusal is told by its status in words of ours, never in those of the engine', async () => {
  const missing = await engine('ollama', {
    'POST /api/generate': answers({ error: 'model "m" not found\u001b[31m' }, 404),
  });
  assert.deepEqual(await control.load(missing.call), {
    ok: false,
    words: 'the backend does not have the model (HTTP error: 404)',
  });
  const broken = await engine('ollama', { 'POST /api/generate': answers({ error: 'x' }, 500) });
  assert.deepEqual(await control.load(broken.call), { ok: false, words: 'HTTP error: 500' });
});

function pulls(lines: readonly unknown[], status = 200): Routes {
  return {
    'POST /api/pull': (_asked, response) => {
      response.writeHead(status, { 'content-type': 'application/x-ndjson' });
      response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    },
  };
}

test('a download of Ollama tells the share of all layers, and is whole when it says so', async () => {
  const { server, call } = await engine(
    'ollama',
    pulls([
      { status: 'pulling manifest' },
      { status: 'pulling a', digest: 'a', total: 900, completed: 450 },
      { status: 'pulling b', digest: 'b', total: 100 },
      { status: 'pulling a', digest: 'a', total: 900, completed: 9000 },
      { status: 'success' },
    ]),
  );
  const told: number[] = [];
  assert.deepEqual(await control.download(call, (percent) => told.push(percent)), { ok: true });
  assert.deepEqual(told, [0, 50, 45, 90, 90]);
  assert.deepEqual(bodies(server), [['/api/pull', { model: 'm', stream: true }]]);
});

test('a download that ends in an error, or without an end, has failed', async () => {
  const outcomes = [
    {
      lines: [{ error: 'pull model manifest: file does not exist' }],
      words: 'the engine could not fetch the model',
    },
    { lines: [{ status: 'pulling manifest' }], words: 'the download broke off' },
  ];
  for (const { lines, words } of outcomes) {
    const { call } = await engine('ollama', pulls(lines));
    assert.deepEqual(await control.download(call, () => undefined), { ok: false, words });
  }
  const { call } = await engine('ollama', pulls([], 500));
  assert.deepEqual(await control.download(call, () => undefined), {
    ok: false,
    words: 'HTTP error: 500',
  });
});

// ---- LM Studio -------------------------------------------------------------------------------

const lmstudioShown = answers({
  models: [
    {
      type: 'llm',
      key: 'm',
      loaded_instances: [
        { id: 'm', config: {} },
        { id: 'm:2', config: {} },
      ],
    },
    { type: 'embedding', key: 'e', loaded_instances: [] },
  ],
});

test('LM Studio shows models with instances as loaded', async () => {
  const { target, signal } = await engine('lmstudio', { 'GET /api/v1/models': lmstudioShown });
  const state = await control.look(target, signal);
  assert.ok(state.kind === 'shown');
  assert.deepEqual(
    [[...state.loaded], [...state.known]],
    [
      ['m', 'm:2'],
      ['m', 'e'],
    ],
  );
  assert.deepEqual(state.memory, { usedBytes: undefined, totalBytes: undefined });
});

test('LM Studio loads what has no instance, and unloads every instance', async () => {
  const { server, call } = await engine('lmstudio', {
    'GET /api/v1/models': lmstudioShown,
    'POST /api/v1/models/load': answers({ status: 'loaded' }),
    'POST /api/v1/models/unload': answers({}),
  });
  assert.deepEqual(await control.load(call), { ok: true });
  assert.deepEqual(bodies(server), [], 'a second instance would be loaded beside the first');
  assert.deepEqual(await control.load({ ...call, modelId: 'e' }), { ok: true });
  assert.deepEqual(await control.unload(call), { ok: true });
  assert.deepEqual(bodies(server), [
    ['/api/v1/models/load', { model: 'e' }],
    ['/api/v1/models/unload', { instance_id: 'm' }],
    ['/api/v1/models/unload', { instance_id: 'm:2' }],
  ]);
});

test('an LM Studio before 0.4 cannot be told to, whichever way it says so', async () => {
  const old: readonly Routes[] = [
    {},
    { 'GET /api/v1/models': answers({ error: 'Unexpected endpoint or method.' }) },
  ];
  for (const routes of old) {
    const { target, signal, call } = await engine('lmstudio', routes);
    const state = await control.look(target, signal);
    assert.equal(state.kind, 'unsupported');
    assert.match((await control.load(call)).ok ? '' : 'refused', /refused/);
  }
});

test('a download of LM Studio is a job that is asked after until it is complete', async () => {
  let asked = 0;
  const { call } = await engine('lmstudio', {
    'POST /api/v1/models/download': answers({
      job_id: 'job/1',
      status: 'downloading',
      total_size_bytes: 200,
    }),
    'GET /api/v1/models/download/status/job%2F1': (_asked, response) => {
      asked++;
      const status = asked < 3 ? 'downloading' : 'completed';
      const downloaded_bytes = asked === 1 ? 50 : 150;
      sendJson(response, 200, { job_id: 'job/1', status, total_size_bytes: 200, downloaded_bytes });
    },
  });
  const told: number[] = [];
  assert.deepEqual(await control.download(call, (percent) => told.push(percent)), { ok: true });
  assert.deepEqual(told, [0, 25, 75]);
  const there = await engine('lmstudio', {
    'POST /api/v1/models/download': answers({ status: 'already_downloaded' }),
  });
  assert.deepEqual(await control.download(there.call, () => undefined), { ok: true });
  const failed = await engine('lmstudio', {
    'POST /api/v1/models/download': answers({ job_id: 'j', status: 'failed' }),
  });
  assert.equal((await control.download(failed.call, () => undefined)).ok, false);
});

// ---- llama.cpp -------------------------------------------------------------------------------

test('llama.cpp as a router tells of each model whether it is loaded, and takes orders', async () => {
  const { server, target, signal, call } = await engine('llamacpp', {
    'GET /models': answers({
      data: [
        { id: 'a', status: { value: 'loaded' } },
        { id: 'b', status: { value: 'loading' } },
        { id: 'c', status: { value: 'unloaded' } },
      ],
    }),
    'POST /models/load': answers({ success: true }),
    'POST /models/unload': answers({ success: true }),
  });
  const state = await control.look(target, signal);
  assert.ok(state.kind === 'shown');
  assert.deepEqual(
    [[...state.loaded], [...state.loading], [...state.known]],
    [['a'], ['b'], ['a', 'b', 'c']],
  );
  assert.deepEqual(await control.load(call), { ok: true });
  assert.deepEqual(await control.unload(call), { ok: true });
  assert.deepEqual(bodies(server), [
    ['/models/load', { model: 'm' }],
    ['/models/unload', { model: 'm' }],
  ]);
  assert.equal((await control.download(call, () => undefined)).ok, false);
});

test('a llama.cpp server with one model cannot be told to', async () => {
  for (const routes of [{}, { 'GET /models': answers({ data: [{ id: 'a', meta: {} }] }) }]) {
    const { target, signal } = await engine('llamacpp', routes);
    assert.equal((await control.look(target, signal)).kind, 'unsupported');
  }
});

// ---- all -------------------------------------------------------------------------------------

test('an engine of another type is not asked at all', async () => {
  const { server, target, signal, call } = await engine('vllm', {});
  assert.equal((await control.look(target, signal)).kind, 'unsupported');
  for (const outcome of [
    control.load(call),
    control.unload(call),
    control.download(call, () => {}),
  ]) {
    assert.equal((await outcome).ok, false);
  }
  assert.deepEqual(server.asked, []);
});

test('the credential goes along, and without it nothing does', async () => {
  const routes = { 'POST /api/generate': answers({ done: true }) };
  const keyed = await engine('ollama', routes, { apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_X' });
  await control.load(keyed.call);
  assert.equal(keyed.server.asked[0]?.headers.authorization, 'Bearer k1');
  const missing = await engine('ollama', routes, { apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_Y' });
  const outcome = await control.load(missing.call);
  assert.equal(
    outcome.ok ? '' : outcome.words,
    'configuration error: TENSORFORGE_BACKEND_KEY_Y is not set',
  );
  assert.deepEqual(missing.server.asked, []);
});

test('one that does not answer, or answers what cannot be read, is away', async () => {
  const html = await engine('ollama', {
    'GET /api/ps': (_asked, response) => response.end('<html>'),
  });
  assert.deepEqual(await control.look(html.target, html.signal), {
    kind: 'away',
    words: 'invalid response: HTML',
  });
  await html.server.close();
  const state = await control.look(html.target, html.signal);
  assert.deepEqual(state, { kind: 'away', words: 'connection failed: refused' });
});
