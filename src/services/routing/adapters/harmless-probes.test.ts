// Goal: probes, detection and readings of load never spend a token and never wake or load a model
// (BR 7.1: the reference product posts a billed message at every probe).
// Method: a server that records what it is asked while it plays each engine in turn, and the text of
// the adapters themselves; both are held against one list of paths that are harmless by document.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { type BackendType, backendTypes } from '../../../base/backend-type.ts';
import type { TestServer } from '../../../io/http/probe/json-server.test-support.ts';
import { detectType } from './detect-type.ts';
import {
  byFixture,
  closeServers,
  probeWith,
  readTestCredential,
  serve,
  target,
  testClient,
} from './probe.test-support.ts';
import { createScrapeBackend } from './scrape-backend.ts';

afterEach(closeServers);

/** `/health` is asked of llama.cpp alone: SGLang may generate a token for it. */
const harmless: ReadonlySet<string> = new Set([
  'GET /api/tags',
  'GET /api/ps',
  'GET /api/version',
  'POST /api/show',
  'GET /v1/models',
  'GET /version',
  'GET /health',
  'GET /props',
  'GET /slots',
  'GET /metrics',
  'GET /prometheus/metrics',
  'GET /api/v0/models',
  'GET /api/v1/models',
  'GET /state',
  'GET /v1beta/models',
  'GET /get_model_info',
  'GET /server_info',
  'GET /get_server_info',
  'GET /info',
]);

const engines: readonly (readonly [string, Parameters<typeof byFixture>[0]])[] = [
  ['nobody', {}],
  ['ollama', { '/api/tags': 'ollama-0.12-tags.json', '/api/show': 'ollama-0.1-show.json' }],
  ['vllm', { '/v1/models': 'vllm-0.11-models.json', '/metrics': 'vllm-0.11-metrics.txt' }],
  [
    'llamacpp',
    { '/props': 'llamacpp-b8681-props.json', '/v1/models': 'llamacpp-b8681-models.json' },
  ],
  [
    'router',
    { '/props': 'llamacpp-router-props.json', '/v1/models': 'llamacpp-router-models.json' },
  ],
  ['lmstudio', { '/v1/models': 'openai-models.json', '/api/v1/models': 'lmstudio-0.4-v1.json' }],
  ['exo', { '/v1/models': 'exo-1.0-models.json', '/state': 'exo-1.0-state.json' }],
  ['sglang', { '/v1/models': 'sglang-0.5-models.json' }],
  ['tgi', { '/v1/models': 'tgi-3.3-models.json' }],
  ['tgi without a list', { '/info': 'tgi-3.3-info.json' }],
  ['trtllm', { '/v1/models': 'trtllm-models.json' }],
  ['anthropic', { '/v1/models': 'anthropic-models-1.json' }],
  ['google', { '/v1beta/models': 'google-models-1.json' }],
];

function offences(server: TestServer): readonly string[] {
  return server.asked
    .map(({ method, path }) => ({ call: `${method} ${path.split('?')[0]}`, path }))
    .filter(({ call, path }) => !harmless.has(call) || /model=(?!.*autoload=false)/.test(path))
    .map(({ call }) => call);
}

test('every adapter against every engine asks only what costs nothing', async () => {
  const scrape = createScrapeBackend({ client: testClient, readCredential: readTestCredential });
  const probe = probeWith();
  const apiKeyEnv = 'TENSORFORGE_BACKEND_KEY_BOX';
  for (const [name, routes] of engines) {
    const server = await serve(byFixture(routes));
    const ask = async (type: BackendType): Promise<void> => {
      const asked = target(type, server, { apiKeyEnv });
      const result = await probe(asked);
      const told = result.kind === 'healthy' ? result : undefined;
      const { metadata = {}, runtime = [] } = told ?? {};
      await scrape({ ...asked, metadata, runtime });
    };
    for (const type of backendTypes) await ask(type);
    await detectType(testClient, server.url);
    assert.ok(server.asked.length > 10, name);
    assert.deepEqual(offences(server), [], name);
  }
});

test('SGLang is never asked for its health', async () => {
  const server = await serve(byFixture({ '/v1/models': 'sglang-0.5-models.json' }));
  await probeWith()(target('generic', server));
  await detectType(testClient, server.url);
  assert.ok(server.asked.every(({ path }) => !path.startsWith('/health')));
});

test('the text of the adapters names no other path', () => {
  const paths = new Set([...harmless].map((call) => call.split(' ')[1] ?? ''));
  const files = readdirSync(import.meta.dirname).filter((name) =>
    /(?<!test|support)\.ts$/.test(name),
  );
  let found = 0;
  for (const file of files) {
    const text = readFileSync(`${import.meta.dirname}/${file}`, 'utf8').replace(
      /\/\/.*|\/\*[\s\S]*?\*\//g,
      '',
    );
    for (const [, path = ''] of text.matchAll(/['"`](\/[a-z][\w./-]*)/g)) {
      found++;
      assert.ok(paths.has(path), `${file} names ${path}`);
    }
  }
  assert.ok(files.length >= 15 && found >= paths.size, `${found} paths in ${files.length} files`);
});
