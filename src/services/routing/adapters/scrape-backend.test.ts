// Goal: how busy each engine says it is, under its names of every version, without waking or loading it.
// Method: metrics pages written from the documents of the engines, served by a real HTTP server:
//
//   vllm      https://docs.vllm.ai/en/latest/usage/metrics.html; the 0.6 page from its documents then
//   sglang    https://docs.sglang.io/references/production_metrics.html
//   llamacpp  github.com/ggml-org/llama.cpp tools/server/README.md, "GET /metrics", "GET /slots"
//   tgi       https://huggingface.co/docs/text-generation-inference/reference/metrics
//   trtllm    trtllm-serve; github.com/triton-inference-server/tensorrtllm_backend README, "Metrics"

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { BackendType } from '../../../base/backend-type.ts';
import type { ModelRuntime } from '../../../core/backends/model-runtime.ts';
import {
  type Answer,
  sendJson,
  type TestServer,
} from '../../../io/http/probe/json-server.test-support.ts';
import { loadOf } from './engine-metrics.ts';
import {
  byFixture,
  closeServers,
  readTestCredential,
  serve,
  target,
  testClient,
} from './probe.test-support.ts';
import { createScrapeBackend, type Scrape, type ScrapeTarget } from './scrape-backend.ts';

afterEach(closeServers);

const scrape = createScrapeBackend({ client: testClient, readCredential: readTestCredential });

type More = Partial<Pick<ScrapeTarget, 'metadata' | 'runtime' | 'apiKeyEnv'>>;

function scrapeOf(type: BackendType, server: TestServer, more: More = {}): Promise<Scrape> {
  return scrape({ ...target(type, server), metadata: {}, runtime: [], ...more });
}

async function loadFrom(
  type: BackendType,
  routes: Parameters<typeof byFixture>[0],
  more: More = {},
): Promise<readonly unknown[] | string> {
  const result = await scrapeOf(type, await serve(byFixture(routes)), more);
  if (result.kind !== 'reading') return result.kind;
  return [result.load.running, result.load.waiting, result.load.kvUse];
}

test('each engine by its own names: sums over models and parts, the fullest cache', async () => {
  const rows: readonly (readonly [BackendType, string, readonly unknown[]])[] = [
    ['vllm', 'vllm-0.11-metrics.txt', [8, 2, 0.75]],
    ['vllm', 'vllm-0.6-metrics.txt', [8, 1, 0.0403]],
    ['generic', 'sglang-0.5-metrics.txt', [5, 7, 0.28]],
    ['generic', 'tgi-3.3-metrics.txt', [6, 3, undefined]],
    ['generic', 'triton-trtllm-metrics.txt', [3, 1, 0.4875]],
    ['llamacpp', 'llamacpp-b8681-metrics.txt', [2, 1, undefined]],
    ['llamacpp', 'llamacpp-b4000-metrics.txt', [1, 0, 0.5]],
  ];
  for (const [type, page, expected] of rows) {
    assert.deepEqual(await loadFrom(type, { '/metrics': page }), expected, page);
  }
});

test('trtllm-serve has its figures beside a page of JSON', async () => {
  const routes = {
    '/metrics': ((_asked, response) => sendJson(response, 200, [])) satisfies Answer,
    '/prometheus/metrics': 'trtllm-serve-metrics.txt',
  };
  const more = { metadata: { engine: 'trtllm' } };
  assert.deepEqual(await loadFrom('generic', routes, more), [5, 2, 0.125]);
  assert.equal(await loadFrom('generic', { '/metrics': routes['/metrics'] }, more), 'absent');
});

const notSupported: Answer = (_asked, response) =>
  sendJson(response, 501, { error: { code: 501, message: 'not supported' } });

test('llamacpp without metrics: its slots, in the old form and the new', async () => {
  const slots = async (page: string): Promise<unknown> =>
    loadFrom('llamacpp', { '/metrics': notSupported, '/slots': page });
  assert.deepEqual(await slots('llamacpp-slots.json'), [2, undefined, undefined]);
  assert.deepEqual(await slots('llamacpp-old-slots.json'), [1, undefined, undefined]);
  assert.equal(await loadFrom('llamacpp', { '/metrics': notSupported }), 'absent');
});

test('llamacpp that can sleep is not kept awake by /slots, and asleep it is asked for nothing more', async () => {
  const props =
    (isAsleep: boolean): Answer =>
    (_asked, response) =>
      sendJson(response, 200, { is_sleeping: isAsleep });
  const pathsOf = async (isAsleep: boolean): Promise<readonly [Scrape, readonly string[]]> => {
    const server = await serve(
      byFixture({
        '/props': props(isAsleep),
        '/metrics': notSupported,
        '/slots': 'llamacpp-slots.json',
      }),
    );
    return [await scrapeOf('llamacpp', server), server.asked.map(({ path }) => path)];
  };
  assert.deepEqual(await pathsOf(false), [{ kind: 'absent' }, ['/props', '/metrics']]);
  const idle = { kind: 'reading', load: { running: 0, waiting: 0, kvUse: undefined } };
  assert.deepEqual(await pathsOf(true), [idle, ['/props']]);
});

function runtime(id: string, loaded: boolean): ModelRuntime {
  const facts = { kind: undefined, sizeBytes: undefined, vramBytes: undefined };
  return { id, loaded, ...facts, quantization: undefined };
}

test('llamacpp router: the loaded models together, and none is loaded by the question', async () => {
  const server = await serve(
    byFixture({
      '/metrics?model=a%2Fb&autoload=false': 'llamacpp-b8681-metrics.txt',
      '/metrics?model=c&autoload=false': 'llamacpp-b8681-metrics.txt',
    }),
  );
  const more = {
    metadata: { mode: 'router' },
    runtime: [runtime('a/b', true), runtime('c', true), runtime('cold', false)],
  };
  assert.deepEqual(await scrapeOf('llamacpp', server, more), {
    kind: 'reading',
    load: { running: 4, waiting: 2, kvUse: undefined },
  });
  assert.ok(server.asked.every(({ path }) => path.endsWith('&autoload=false')));
  const idle = await scrapeOf('llamacpp', server, { metadata: { mode: 'router' } });
  assert.deepEqual(idle, {
    kind: 'reading',
    load: { running: 0, waiting: 0, kvUse: undefined },
  });
});

test('what shows no figures is absent, what breaks has failed, and neither is idle', async () => {
  const answering =
    (status: number, text: string): Answer =>
    (_asked, response) => {
      response.writeHead(status);
      response.end(text);
    };
  const rows: readonly (readonly [Answer, string])[] = [
    [answering(404, ''), 'absent'],
    [answering(401, ''), 'absent'],
    [answering(200, '# nothing of ours\nup 1\n'), 'absent'],
    [answering(200, ''), 'absent'],
    [answering(200, 'vllm:num_requests_running{model_name="m"} NaN'), 'absent'],
    [answering(500, ''), 'failed'],
    [answering(429, ''), 'failed'],
    [answering(200, '<html>'), 'failed'],
    [answering(200, '#\n'.repeat(60_000)), 'failed'],
    [answering(302, ''), 'failed'],
    [(_asked, response) => response.destroy(), 'failed'],
  ];
  for (const [answer, expected] of rows) {
    assert.equal(await loadFrom('vllm', { '/metrics': answer }), expected);
  }
});

test('a server that hangs is given up after the time-out', async () => {
  const hasty = createScrapeBackend({
    client: testClient,
    readCredential: readTestCredential,
    timeoutMs: 150,
  });
  const server = await serve(() => undefined);
  const asked = { ...target('vllm', server), metadata: {}, runtime: [] };
  assert.deepEqual(await hasty(asked), { kind: 'failed' });
});

test('engines that do not tell, and clouds, are not asked at all', async () => {
  const server = await serve(byFixture({}));
  for (const type of ['ollama', 'lmstudio', 'exo', 'openai', 'anthropic', 'google'] as const) {
    const more = { apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_BOX' };
    assert.deepEqual(await scrapeOf(type, server, more), { kind: 'absent' }, type);
  }
  assert.equal(server.asked.length, 0);
});

test('the credential goes in its header; without one that is due nothing is sent', async () => {
  const server = await serve(byFixture({ '/metrics': 'vllm-0.11-metrics.txt' }));
  await scrapeOf('vllm', server, { apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_BOX' });
  assert.equal(server.asked[0]?.headers.authorization, 'Bearer box-secret');
  assert.equal(server.asked[0]?.path, '/metrics');
  const missing = await scrapeOf('vllm', server, { apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_NONE' });
  assert.deepEqual([missing.kind, server.asked.length], ['failed', 1]);
});

test('figures that cannot be are left out', () => {
  const sample = (name: string, value: number) => ({
    name,
    value,
    labels: new Map<string, string>(),
  });
  const running = 'vllm:num_requests_running';
  assert.equal(loadOf([sample(running, -1)]), undefined);
  assert.equal(loadOf([sample(running, 1.5)]), undefined);
  assert.equal(loadOf([sample(running, 1e9)]), undefined);
  assert.equal(loadOf([sample('vllm:kv_cache_usage_perc', 42)]), undefined);
  assert.deepEqual(loadOf([sample(running, 2), sample('vllm:kv_cache_usage_perc', -0.5)]), {
    running: 2,
    waiting: undefined,
    kvUse: undefined,
  });
});
