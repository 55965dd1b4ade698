// Goal: what each engine documents about its answers is what we read from them, version by version.
// Method: answers taken from the public documentation, shortened, served by a real HTTP server.
//
//   ollama     https://docs.ollama.com/api (tags, ps, show); the 0.1 answer of show from its API page then
//   vllm       https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
//   llamacpp   https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md;
//              https://mvysny.github.io/llama-server-endpoints/
//   lmstudio   https://lmstudio.ai/docs/developer/rest/endpoints (v0), .../rest/list (v1);
//              lmstudio-ai/lmstudio-bug-tracker issue 1659
//   exo        https://raw.githubusercontent.com/exo-explore/exo/main/docs/api.md, types of its state
//   openai     https://platform.openai.com/docs/api-reference/models/list
//   anthropic  https://platform.claude.com/docs/en/api/models/list
//   google     https://ai.google.dev/api/models
//   sglang     https://docs.sglang.io/basic_usage/native_api.html
//   tgi        https://huggingface.github.io/text-generation-inference (GET /info)
//   trtllm     tensorrt_llm/serve/openai_protocol.py, ModelCard

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type Answer, sendJson } from '../../../io/http/probe/json-server.test-support.ts';
import {
  byFixture,
  closeServers,
  fixture,
  healthy,
  probeWith,
  serve,
  target,
} from './probe.test-support.ts';
import type { HealthyProbe } from './probe-result.ts';

afterEach(closeServers);

/** Id, window, vision, tools, JSON mode, longest output of each model. */
function offered({ models }: HealthyProbe): readonly unknown[] {
  return (models ?? []).map((m) => [
    m.id,
    m.contextLength,
    m.supportsVision,
    m.supportsTools,
    m.supportsJsonMode,
    m.maxOutputTokens,
  ]);
}

/** Id, loaded, kind, size on disk, GPU memory, quantisation of each model. */
function known({ runtime }: HealthyProbe): readonly unknown[] {
  return (runtime ?? []).map((r) => [
    r.id,
    r.loaded,
    r.kind,
    r.sizeBytes,
    r.vramBytes,
    r.quantization,
  ]);
}

const cloudKey = { apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_BOX' };

const showOf: Answer = ({ body }, response) => {
  const { model } = JSON.parse(body) as { model: string };
  response.end(
    fixture(
      model.startsWith('gemma3') ? 'ollama-0.12-show-gemma3.json' : 'ollama-0.12-show-embed.json',
    ),
  );
};

test('ollama 0.12: downloaded models, the one in memory with its GPU share, a model for embeddings', async () => {
  const result = await healthy(
    'ollama',
    byFixture({
      '/api/tags': 'ollama-0.12-tags.json',
      '/api/ps': 'ollama-0.12-ps.json',
      '/api/show': showOf,
    }),
  );
  assert.deepEqual(offered(result), [
    ['gemma3:latest', 131_072, true, false, true, undefined],
    ['nomic-embed-text:latest', 2_048, false, false, false, undefined],
  ]);
  assert.deepEqual(known(result), [
    ['gemma3:latest', true, 'chat', 3_338_801_804, 5_333_539_264, 'Q4_K_M'],
    ['nomic-embed-text:latest', false, 'embeddings', 274_302_450, undefined, 'F16'],
  ]);
});

test('ollama before 0.1.38: neither a loaded set nor abilities, so names speak and nothing is claimed', async () => {
  const result = await healthy(
    'ollama',
    byFixture({
      '/api/tags': (_asked, response) =>
        sendJson(response, 200, { models: [{ name: 'mistral-32k', digest: 'd', size: 7 }] }),
      '/api/show': ({ body }, response) => {
        const { name } = JSON.parse(body) as { name: string };
        assert.equal(name, 'mistral-32k', 'these servers read `name`');
        response.end(fixture('ollama-0.1-show.json'));
      },
    }),
  );
  assert.deepEqual(offered(result), [['mistral-32k', 32_768, false, true, true, undefined]]);
  assert.deepEqual(known(result), [['mistral-32k', undefined, undefined, 7, undefined, undefined]]);
});

test('vllm: a model under another name is known by its root, an adapter by its parent', async () => {
  const result = await healthy('vllm', byFixture({ '/v1/models': 'vllm-0.11-models.json' }));
  assert.deepEqual(offered(result), [
    ['chat', 32_768, true, true, true, undefined],
    ['sql-lora', 32_768, true, true, true, undefined],
  ]);
  assert.deepEqual(
    result.runtime?.map(({ loaded }) => loaded),
    [true, true],
  );
});

const llamacpp = {
  '/health': (_asked: unknown, response: Parameters<Answer>[1]) =>
    sendJson(response, 200, { status: 'ok' }),
  '/props': 'llamacpp-b8681-props.json',
  '/v1/models': 'llamacpp-b8681-models.json',
} as const;

test('llamacpp: slots, window of one slot, template abilities, size of the file', async () => {
  const result = await healthy('llamacpp', byFixture(llamacpp));
  assert.equal(result.capacity, 4);
  assert.equal(result.version, 'b8681-Debian');
  assert.deepEqual(offered(result), [['qwen3', 65_536, true, true, true, undefined]]);
  assert.deepEqual(known(result), [
    ['qwen3', true, undefined, 4_912_898_304, undefined, undefined],
  ]);
});

test('llamacpp: one that sleeps is well, and its model is not in memory', async () => {
  const asleep: Answer = (_asked, response) =>
    sendJson(response, 200, {
      ...(JSON.parse(fixture('llamacpp-b8681-props.json')) as object),
      is_sleeping: true,
    });
  const result = await healthy('llamacpp', byFixture({ ...llamacpp, '/props': asleep }));
  assert.equal(result.runtime?.[0]?.loaded, false);
});

test('llamacpp before 2024-07: /health tells of slots', async () => {
  const health: Answer = (_asked, response) =>
    sendJson(response, 503, { status: 'no slot available', slots_idle: 0, slots_processing: 3 });
  const result = await healthy('llamacpp', byFixture({ '/health': health }));
  assert.deepEqual([result.capacity, result.busy, result.models], [3, true, undefined]);
});

test('llamacpp router: every model is offered, and only the loaded one is asked about', async () => {
  const loaded = '/props?model=ggml-org%2Fgemma-3-4b-it-GGUF%3AQ4_K_M&autoload=false';
  const server = await serve(
    byFixture({
      ...llamacpp,
      '/props': 'llamacpp-router-props.json',
      '/v1/models': 'llamacpp-router-models.json',
      [loaded]: 'llamacpp-b8681-props.json',
    }),
  );
  const result = await probeWith()(target('llamacpp', server));
  assert.ok(result.kind === 'healthy');
  assert.deepEqual(offered(result), [
    ['ggml-org/gemma-3-4b-it-GGUF:Q4_K_M', 65_536, true, true, true, undefined],
    ['qwen3:8b', 4_096, false, true, true, undefined],
  ]);
  assert.deepEqual(
    result.runtime?.map(({ loaded: isLoaded }) => isLoaded),
    [true, false],
  );
  assert.deepEqual(result.metadata, { mode: 'router' });
  assert.deepEqual(
    server.asked.map(({ path }) => path),
    ['/health', '/props', '/v1/models', loaded],
  );
});

const lmstudioList: Answer = (_asked, response) =>
  sendJson(response, 200, {
    data: [
      { id: 'google/gemma-3-4b' },
      { id: 'qwen/qwen3.5-9b' },
      { id: 'qwen/qwen3.5-9b:2' },
      { id: 'text-embedding-nomic-embed-text-v1.5' },
    ],
  });

test('lmstudio 0.4: the v1 list tells abilities, instances and sizes', async () => {
  const result = await healthy(
    'lmstudio',
    byFixture({ '/v1/models': lmstudioList, '/api/v1/models': 'lmstudio-0.4-v1.json' }),
  );
  assert.deepEqual(offered(result), [
    ['google/gemma-3-4b', 131_072, true, false, true, undefined],
    ['qwen/qwen3.5-9b', 4_096, true, true, true, undefined],
    ['qwen/qwen3.5-9b:2', 4_096, true, true, true, undefined],
    ['text-embedding-nomic-embed-text-v1.5', 2_048, false, false, false, undefined],
  ]);
  assert.deepEqual(known(result), [
    ['google/gemma-3-4b', false, 'chat', 3_034_755_901, undefined, '4bit'],
    ['qwen/qwen3.5-9b', true, 'chat', 6_548_927_017, undefined, 'Q4_K_M'],
    ['qwen/qwen3.5-9b:2', true, 'chat', 6_548_927_017, undefined, 'Q4_K_M'],
    ['text-embedding-nomic-embed-text-v1.5', false, 'embeddings', 274_290_560, undefined, 'F16'],
  ]);
});

test('lmstudio 0.3: unknown paths answer 200 with an error, and the v0 list speaks', async () => {
  const list: Answer = (_asked, response) =>
    sendJson(response, 200, {
      data: [
        { id: 'qwen2-vl-7b-instruct' },
        { id: 'meta-llama-3.1-8b-instruct' },
        { id: 'text-embedding-nomic-embed-text-v1.5' },
      ],
    });
  const result = await healthy(
    'lmstudio',
    byFixture({
      '/v1/models': list,
      '/api/v1/models': 'lmstudio-unknown-path.json',
      '/api/v0/models': 'lmstudio-0.3-v0.json',
    }),
  );
  assert.deepEqual(offered(result), [
    ['qwen2-vl-7b-instruct', 32_768, true, false, true, undefined],
    ['meta-llama-3.1-8b-instruct', 4_096, false, true, true, undefined],
    ['text-embedding-nomic-embed-text-v1.5', 2_048, false, false, false, undefined],
  ]);
  assert.deepEqual(known(result), [
    ['qwen2-vl-7b-instruct', false, 'chat', undefined, undefined, '4bit'],
    ['meta-llama-3.1-8b-instruct', true, 'chat', undefined, undefined, 'Q4_K_M'],
    ['text-embedding-nomic-embed-text-v1.5', false, 'embeddings', undefined, undefined, 'Q4_0'],
  ]);
});

test('exo: of its catalogue only what has an instance with all runners at work is offered', async () => {
  const result = await healthy(
    'exo',
    byFixture({ '/v1/models': 'exo-1.0-models.json', '/state': 'exo-1.0-state.json' }),
  );
  const llama = 'mlx-community/Llama-3.3-70B-Instruct-4bit';
  assert.deepEqual(
    result.models?.map(({ id }) => id),
    [llama],
  );
  assert.deepEqual(known(result), [[llama, true, undefined, 40_000_000_000, undefined, undefined]]);
});

test('exo: nothing runs, so nothing is offered; without a state, the list stands; torn, nothing changes', async () => {
  const withState = (state: Answer): Promise<HealthyProbe> =>
    healthy('exo', byFixture({ '/v1/models': 'exo-1.0-models.json', '/state': state }));
  const idle = await withState((_asked, response) => sendJson(response, 200, { instances: {} }));
  assert.deepEqual(idle.models, []);
  const old = await withState((_asked, response) => sendJson(response, 404, {}));
  assert.equal(old.models?.length, 3);
  for (const body of ['{"instances":', '{}', '[]']) {
    const torn = await withState((_asked, response) => response.end(body));
    assert.deepEqual([torn.models, torn.warning], [undefined, 'unreadable_model_list'], body);
  }
});

test('openai: the family speaks for a model that the table does not have', async () => {
  const answer = byFixture({ '/v1/models': 'openai-models.json' });
  const result = await healthy('openai', answer, cloudKey);
  assert.deepEqual(offered(result), [
    ['gpt-5', 400_000, true, true, true, 128_000],
    ['o3', 200_000, true, true, true, 100_000],
    ['text-embedding-3-small', 8_191, false, false, false, undefined],
    ['gpt-9-preview', 400_000, true, true, true, 128_000],
  ]);
  assert.deepEqual(
    result.runtime?.map(({ id, kind }) => [id, kind]),
    [['text-embedding-3-small', 'embeddings']],
  );
});

test('openai: another cloud that states a window is believed over the table', async () => {
  const answer: Answer = (_asked, response) =>
    sendJson(response, 200, {
      data: [
        { id: 'gpt-4o', context_length: 64_000 },
        { id: 'llama-3.3-70b', context_window: 131_072 },
        { id: 'magistral', max_context_length: 40_960 },
      ],
    });
  const result = await healthy('openai', answer, cloudKey);
  assert.deepEqual(
    result.models?.map(({ contextLength }) => contextLength),
    [64_000, 131_072, 40_960],
  );
});

test('anthropic: page by page; what is stated wins, the family speaks for the rest', async () => {
  const server = await serve(
    byFixture({
      '/v1/models': 'anthropic-models-1.json',
      '/v1/models?limit=1000&after_id=claude-opus-4-6': 'anthropic-models-2.json',
    }),
  );
  const result = await probeWith()(target('anthropic', server, cloudKey));
  assert.ok(result.kind === 'healthy');
  assert.deepEqual(offered(result), [
    ['claude-opus-4-6', 1_000_000, true, true, true, 128_000],
    ['claude-3-haiku-20240307', 200_000, true, true, false, 4_096],
    ['claude-sonnet-9', 200_000, true, true, false, 64_000],
  ]);
  assert.equal(server.asked[0]?.headers['anthropic-version'], '2023-06-01');
});

test('google: page by page, generating models only, the token of a page escaped', async () => {
  const server = await serve(
    byFixture({
      '/v1beta/models': 'google-models-1.json',
      '/v1beta/models?pageSize=1000&pageToken=Ch5t%2B%2F%3D': 'google-models-2.json',
    }),
  );
  const result = await probeWith()(target('google', server, cloudKey));
  assert.ok(result.kind === 'healthy');
  assert.deepEqual(offered(result), [
    ['gemini-2.5-flash', 1_048_576, true, true, true, 65_536],
    ['gemma-3-27b-it', 131_072, true, false, false, 8_192],
  ]);
});

test('generic: SGLang tells abilities, and how many requests all of its parts work on', async () => {
  for (const info of ['/server_info', '/get_server_info']) {
    const result = await healthy(
      'generic',
      byFixture({
        '/v1/models': 'sglang-0.5-models.json',
        '/get_model_info': 'sglang-0.5-model-info.json',
        [info]: 'sglang-0.5-server-info.json',
      }),
    );
    assert.deepEqual(offered(result), [
      ['qwen/qwen2.5-0.5b-instruct', 32_768, false, true, true, undefined],
    ]);
    assert.deepEqual([result.capacity, result.version], [128, '0.5.9'], info);
    assert.deepEqual(result.metadata, { engine: 'sglang' });
  }
});

test('generic: TGI with and without a list of models', async () => {
  const routes = [{ '/v1/models': 'tgi-3.3-models.json' }, {}];
  for (const more of routes) {
    const result = await healthy('generic', byFixture({ '/info': 'tgi-3.3-info.json', ...more }));
    assert.deepEqual(
      result.models?.map((m) => [m.id, m.contextLength]),
      [['bigscience/bloom-560m', 2_048]],
    );
    assert.deepEqual(result.metadata, { engine: 'tgi' });
    assert.deepEqual([result.capacity, result.version], [128, '3.3.5']);
  }
});

test('generic: TensorRT-LLM is known by the owner of its models', async () => {
  const result = await healthy('generic', byFixture({ '/v1/models': 'trtllm-models.json' }));
  assert.deepEqual(result.metadata, { engine: 'trtllm' });
  assert.equal(result.models?.length, 1);
});

test('an engine that cannot be asked for details is as well as its list', async () => {
  const lists = ['sglang-0.5-models.json', 'tgi-3.3-models.json', 'vllm-0.11-models.json'];
  for (const name of lists) {
    const result = await healthy('generic', byFixture({ '/v1/models': name }));
    assert.ok((result.models?.length ?? 0) >= 1, name);
  }
});
