// Goal: each engine is read as its own documents say, and what it cannot say is not made up.
// Method: real HTTP servers that answer as the engine does.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type BackendType, backendTypes } from '../../../base/backend-type.ts';
import {
  type Answer,
  byPath,
  sendJson,
  startServer,
} from '../../../io/http/probe/json-server.test-support.ts';
import { closeServers, healthy, probeWith, serve, target } from './probe.test-support.ts';
import type { ProbeResult } from './probe-result.ts';

afterEach(closeServers);

const list = (...entries: readonly unknown[]) => ({ object: 'list', data: entries });

test('ollama: tags give the models, show gives window and abilities, digests are asked once', async () => {
  const shows: Readonly<Record<string, unknown>> = {
    'llama3:70b': {
      capabilities: ['completion', 'tools'],
      model_info: { 'general.architecture': 'llama', 'llama.context_length': 8192 },
    },
    'odd-name': {
      capabilities: ['completion', 'vision'],
      model_info: { 'x.context_length': 2048 },
    },
  };
  const server = await serve((asked, response) => {
    if (asked.path === '/api/tags') {
      sendJson(response, 200, {
        models: [
          { name: 'llama3:70b', digest: 'sha256:1' },
          { name: 'odd-name', digest: 'sha256:2' },
          { name: 'llava-8k', digest: 'sha256:3' },
        ],
      });
    } else if (asked.path === '/api/version') sendJson(response, 200, { version: '0.5.1' });
    else if (asked.path === '/api/show') {
      const { model, name } = JSON.parse(asked.body) as { model: string; name: string };
      assert.equal(model, name);
      if (shows[model] === undefined) sendJson(response, 404, { error: 'not found' });
      else sendJson(response, 200, shows[model]);
    } else sendJson(response, 404, {});
  });
  const probe = probeWith();
  const result = await probe(target('ollama', server));
  assert.ok(result.kind === 'healthy');
  assert.equal(result.version, '0.5.1');
  assert.deepEqual(
    result.models?.map((m) => [
      m.id,
      m.contextLength,
      m.supportsVision,
      m.supportsTools,
      m.supportsJsonMode,
    ]),
    [
      ['llama3:70b', 8192, false, true, true],
      ['odd-name', 2048, true, false, true],
      ['llava-8k', 8192, true, false, true],
    ],
  );
  const count = (): number => server.asked.filter(({ path }) => path === '/api/show').length;
  assert.equal(count(), 3);
  assert.deepEqual(
    await probe(target('ollama', server)).then((r) => r.kind === 'healthy' && r.models),
    result.models,
  );
  assert.equal(count(), 4, 'only the one that was not answered is asked again');
});

test('ollama: a slow show does not outlast the probe, and the names answer meanwhile', async () => {
  const server = await serve((asked, response) => {
    if (asked.path === '/api/tags')
      sendJson(response, 200, { models: [{ name: 'qwen3:8b', digest: 'd' }] });
    else if (asked.path === '/api/version') sendJson(response, 200, {});
  });
  const result = await probeWith(400)(target('ollama', server));
  assert.ok(result.kind === 'healthy');
  assert.equal(result.models?.[0]?.supportsTools, true);
});

test('vllm: the window is stated, JSON mode comes with guided decoding', async () => {
  const result = await healthy(
    'vllm',
    byPath({
      '/v1/models': list({
        id: 'meta/llama',
        max_model_len: 16384,
        root: 'meta/llama',
        parent: null,
      }),
      '/version': { version: '0.9.2' },
    }),
  );
  assert.equal(result.version, '0.9.2');
  assert.deepEqual(
    result.models?.map((m) => [m.id, m.contextLength, m.supportsJsonMode]),
    [['meta/llama', 16384, true]],
  );
});

const props = {
  default_generation_settings: { n_ctx: 4096, id: 0 },
  total_slots: 3,
  modalities: { vision: true, audio: false },
  chat_template: '{% if tools %}',
  build_info: 'b5201-abc',
};

test('llamacpp: health, list and properties together', async () => {
  const result = await healthy(
    'llamacpp',
    byPath({ '/health': { status: 'ok' }, '/props': props, '/v1/models': list({ id: 'm.gguf' }) }),
  );
  assert.equal(result.capacity, 3);
  assert.equal(result.version, 'b5201-abc');
  assert.deepEqual(
    result.models?.map((m) => [
      m.id,
      m.contextLength,
      m.supportsVision,
      m.supportsTools,
      m.supportsJsonMode,
    ]),
    [['m.gguf', 4096, true, true, true]],
  );
});

test('llamacpp: loading is not failing, and a busy old build is alive', async () => {
  const answering =
    (status: number, body: unknown): Answer =>
    (asked, response) =>
      asked.path === '/health' ? sendJson(response, status, body) : sendJson(response, 404, {});
  const probeOf = async (answer: Answer): Promise<ProbeResult> =>
    probeWith()(target('llamacpp', await serve(answer)));
  const loading = answering(503, {
    error: { code: 503, message: 'Loading model', type: 'unavailable_error' },
  });
  assert.deepEqual(await probeOf(loading), { kind: 'loading' });
  assert.deepEqual(await probeOf(answering(503, { status: 'loading model' })), { kind: 'loading' });
  const busy = await probeOf(answering(503, { status: 'no slot available' }));
  assert.ok(busy.kind === 'healthy');
  assert.deepEqual([busy.busy, busy.models], [true, undefined]);
  assert.deepEqual(await probeOf(answering(500, {})), {
    kind: 'unhealthy',
    words: 'HTTP error: 500',
    class: 'http_status',
  });
  const known = await probeOf(answering(200, { status: 'ok' }));
  assert.ok(known.kind === 'healthy');
  assert.equal(known.models, undefined, 'health alone keeps the known models');
  const listOnly = await healthy('llamacpp', byPath({ '/v1/models': list({ id: 'a' }) }));
  assert.equal(listOnly.models?.length, 1);
});

test('lmstudio: the native list knows kinds, windows and abilities', async () => {
  const result = await healthy(
    'lmstudio',
    byPath({
      '/v1/models': list({ id: 'a' }, { id: 'b' }, { id: 'c' }),
      '/api/v0/models': list(
        {
          id: 'a',
          type: 'vlm',
          state: 'loaded',
          max_context_length: 32768,
          loaded_context_length: 8192,
        },
        {
          id: 'b',
          type: 'llm',
          state: 'not-loaded',
          max_context_length: 4096,
          capabilities: ['tool_use'],
        },
      ),
    }),
  );
  assert.deepEqual(
    result.models?.map((m) => [m.id, m.contextLength, m.supportsVision, m.supportsTools]),
    [
      ['a', 8192, true, false],
      ['b', 4096, false, true],
      ['c', 4096, false, false],
    ],
  );
});

test('generic and exo: the list, windows when they are stated, else names', async () => {
  const answer = byPath({
    '/v1/models': list({ id: 'x', context_length: 999 }, { id: 'qwen3-32k' }),
  });
  for (const type of ['generic', 'exo'] as const) {
    const { models } = await healthy(type, answer);
    assert.deepEqual(
      models?.map((m) => [m.contextLength, m.supportsTools]),
      [
        [999, false],
        [32768, true],
      ],
    );
  }
});

test('cloud types send their own credential header and ask for the list only', async () => {
  const answer = byPath({
    '/v1/models': list({ id: 'gpt-4o' }, { id: 'claude-3-opus-20240229' }),
    '/v1beta/models': {
      models: [
        {
          name: 'models/gemini-1.5-pro',
          supportedGenerationMethods: ['generateContent'],
          inputTokenLimit: 1000,
          outputTokenLimit: 8,
        },
        { name: 'models/embedding-001', supportedGenerationMethods: ['embedContent'] },
      ],
    },
  });
  const headers: Readonly<Record<string, readonly [string, string]>> = {
    openai: ['authorization', 'Bearer box-secret'],
    anthropic: ['x-api-key', 'box-secret'],
    google: ['x-goog-api-key', 'box-secret'],
  };
  for (const type of ['openai', 'anthropic', 'google'] as const) {
    const server = await serve(answer);
    const result = await probeWith()(
      target(type, server, { apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_BOX' }),
    );
    assert.ok(result.kind === 'healthy');
    assert.ok(
      server.asked.every(({ method, path }) => method === 'GET' && !path.includes('box-secret')),
    );
    const [name, value] = headers[type] ?? ['', ''];
    assert.equal(server.asked[0]?.headers[name], value);
    if (type === 'google') {
      assert.deepEqual(
        result.models?.map((m) => [m.id, m.contextLength, m.maxOutputTokens]),
        [['gemini-1.5-pro', 1000, 8]],
      );
    }
  }
});

test('7.4 a credential that is missing, empty, torn or forbidden is a configuration error, and nothing is sent', async () => {
  const server = await serve(byPath({ '/v1/models': list() }));
  const rows: readonly [BackendType, string | undefined, RegExp][] = [
    ['openai', undefined, /api_key_env is missing/],
    ['openai', 'TENSORFORGE_BACKEND_KEY_NONE', /TENSORFORGE_BACKEND_KEY_NONE is not set/],
    ['vllm', 'TENSORFORGE_BACKEND_KEY_EMPTY', /is empty/],
    ['vllm', 'TENSORFORGE_BACKEND_KEY_TORN', /is not a credential/],
    ['vllm', 'DATABASE_URL', /not permitted/],
    ['openai', 'OPENAI_API_KEY', /not permitted/],
  ];
  for (const [type, apiKeyEnv, words] of rows) {
    const result = await probeWith()(target(type, server, { apiKeyEnv }));
    assert.ok(result.kind === 'config_error');
    assert.match(result.words, words);
  }
  assert.equal(server.asked.length, 0);
});

test('R7 a backend that nobody approved is probed without its credential', async () => {
  const server = await serve(byPath({ '/v1/models': list({ id: 'm' }) }));
  const result = await probeWith()(
    target('generic', server, { approved: false, apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_BOX' }),
  );
  assert.equal(result.kind, 'healthy');
  assert.equal(server.asked[0]?.headers['authorization'], undefined);
});

test('every type: failures, refusals and rate limits are told apart', async () => {
  const more = { apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_BOX' };
  for (const type of backendTypes) {
    const withStatus = async (status: number, headers = {}): Promise<ProbeResult> => {
      const server = await serve((_asked, response) => {
        response.writeHead(status, headers);
        response.end('{"error":"peer words"}');
      });
      return probeWith()(target(type, server, more));
    };
    assert.deepEqual(
      await withStatus(500),
      { kind: 'unhealthy', words: 'HTTP error: 500', class: 'http_status' },
      type,
    );
    assert.deepEqual(
      await withStatus(401),
      { kind: 'config_error', words: 'HTTP error: 401' },
      type,
    );
    assert.deepEqual(
      await withStatus(429, { 'retry-after': '9' }),
      { kind: 'rate_limited', retryAfterS: 9 },
      type,
    );
    const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
    assert.deepEqual(
      await withStatus(429, { 'retry-after': 'Sun, 06 Nov 1994 08:49:57 GMT', date }),
      { kind: 'rate_limited', retryAfterS: 20 },
      type,
    );
    assert.deepEqual(
      await withStatus(429, { 'retry-after': 'soon' }),
      { kind: 'rate_limited', retryAfterS: 30 },
      type,
    );
    const gone = await startServer(byPath({}));
    await gone.close();
    assert.deepEqual(
      await probeWith()(target(type, gone, more)),
      { kind: 'unhealthy', words: 'connection failed: refused', class: 'unreachable' },
      type,
    );
  }
});

test('every type: an unreadable answer of a live server keeps the models, an empty list clears them', async () => {
  const more = { apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_BOX' };
  for (const type of backendTypes) {
    for (const body of ['{"data": [', '[]', 'null', '42', '{"data": {}, "models": "x"}', '']) {
      const result = await healthy(type, (_asked, response) => response.end(body), more);
      assert.equal(result.models, undefined, `${type} ${body}`);
      assert.equal(result.warning, 'unreadable_model_list');
    }
    const empty = await healthy(
      type,
      (_asked, response) => response.end('{"data": [], "models": []}'),
      more,
    );
    assert.deepEqual(empty.models, [], type);
  }
});

test('222 223 twins, strange ids and lying figures in a list', async () => {
  const result = await healthy(
    'vllm',
    byPath({
      '/v1/models': list(
        { id: 'a', max_model_len: 100 },
        { id: 'b', max_model_len: -5 },
        { id: 'a', max_model_len: 200 },
        { id: 'c', max_model_len: 2 ** 60 },
        { id: 'd', max_model_len: '4096' },
        { id: '' },
        { id: 7 },
        { id: 'x\r\nset-cookie: y' },
        { id: '\u001b[31m' },
        { id: 'm'.repeat(1001) },
        { id: '<script>' },
        null,
        'text',
      ),
    }),
  );
  assert.deepEqual(
    result.models?.map((m) => [m.id, m.contextLength]),
    [
      ['a', 200],
      ['b', 4096],
      ['c', 4096],
      ['d', 4096],
      ['<script>', 4096],
    ],
  );
  const many = Array.from({ length: 5_000 }, (_, index) => ({ id: `m${index}` }));
  assert.equal(
    (await healthy('generic', byPath({ '/v1/models': list(...many) }))).models?.length,
    2_000,
  );
});

test('every type: 503 with words of loading is neither failure nor success', async () => {
  const more = { apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_BOX' };
  const bodies = [
    { error: 'Model is loading' },
    { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
    { message: 'still loading' },
  ];
  for (const type of backendTypes) {
    for (const body of bodies) {
      const server = await serve((_asked, response) => sendJson(response, 503, body));
      assert.deepEqual(await probeWith()(target(type, server, more)), { kind: 'loading' }, type);
    }
    const server = await serve((_asked, response) =>
      sendJson(response, 503, { error: 'download' }),
    );
    assert.equal((await probeWith()(target(type, server, more))).kind, 'unhealthy');
  }
});

test('226 every type: HTML, compression and redirects are an invalid response, and nothing is followed', async () => {
  const metadata = await serve(byPath({}));
  const answers: readonly (readonly [string, Answer])[] = [
    ['HTML', (_asked, response) => response.end('<html>')],
    [
      'compressed',
      (_asked, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end('x');
      },
    ],
    [
      'redirect',
      (_asked, response) => {
        response.writeHead(307, { location: metadata.url });
        response.end();
      },
    ],
  ];
  const more = { apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_BOX' };
  for (const type of backendTypes) {
    for (const [what, answer] of answers) {
      const result = await probeWith()(target(type, await serve(answer), more));
      const words = `invalid response: ${what}`;
      assert.deepEqual(result, { kind: 'unhealthy', words, class: 'invalid_response' }, type);
    }
  }
  assert.equal(metadata.asked.length, 0);
});

test('what the operator says of a model wins over engine, table and name', async () => {
  const server = await serve(
    byPath({
      '/v1/models': list({ id: 'own-chat', max_model_len: 8192 }, { id: 'own-eye' }, { id: 'x' }),
    }),
  );
  const overrides = [
    { model: 'own-chat', contextLength: 4000, tools: true },
    { model: 'own-*', vision: true, jsonMode: false, maxOutputTokens: 100 },
  ];
  const result = await probeWith(5_000, overrides)(target('vllm', server));
  assert.ok(result.kind === 'healthy');
  assert.deepEqual(
    result.models?.map((m) => [
      m.id,
      m.contextLength,
      m.supportsTools,
      m.supportsVision,
      m.supportsJsonMode,
      m.maxOutputTokens,
    ]),
    [
      ['own-chat', 4000, true, false, true, undefined],
      ['own-eye', 4096, false, true, false, 100],
      ['x', 4096, false, false, true, undefined],
    ],
  );
});

test('a list in pages that turns in circles, or breaks off, ends', async () => {
  const more = { apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_BOX' };
  const circle = await serve((_asked, response) =>
    sendJson(response, 200, { data: [{ id: 'a' }], has_more: true, last_id: 'a' }),
  );
  const round = await probeWith()(target('anthropic', circle, more));
  assert.ok(round.kind === 'healthy');
  assert.deepEqual([round.models?.length, circle.asked.length], [1, 2]);
  const endless = await serve((_asked, response) =>
    sendJson(response, 200, { models: [], nextPageToken: `${endless.asked.length}` }),
  );
  assert.equal((await probeWith()(target('google', endless, more))).kind, 'healthy');
  assert.equal(endless.asked.length, 20);
  const torn = await serve((asked, response) =>
    asked.path.includes('pageToken')
      ? response.end('[')
      : sendJson(response, 200, { models: [], nextPageToken: 'x' }),
  );
  const kept = await probeWith()(target('google', torn, more));
  assert.ok(kept.kind === 'healthy');
  assert.deepEqual([kept.models, kept.warning], [undefined, 'unreadable_model_list']);
});
