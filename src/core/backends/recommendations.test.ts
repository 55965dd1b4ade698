// Goal: advice names the right models for the right backends, says what is not known, and is bounded.
// Method: small fleets, one fact changed at a time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackendId } from '../../base/brand.ts';
import { instant } from '../../base/time.ts';
import type { Backend } from './backend.ts';
import type { DemandPattern } from './demand.ts';
import { modelFrom } from './heuristics.ts';
import type { ModelRuntime } from './model-runtime.ts';
import { type AdviceRules, recommend } from './recommendations.ts';
import { gigabyte } from './vram-check.ts';

const rules: AdviceRules = {
  minSampleDays: 7,
  minRequestCount: 100,
  maxRecommendations: 5,
  vramHeadroomPercent: 20,
  vramHeuristicMaxGb: 16,
};

const pattern: DemandPattern = {
  total: 5000,
  daysWithData: 14,
  spanDays: 14,
  hourlyAverage: [],
  peakHour: 9,
  peakRatio: 4,
  isPatterned: true,
  trend: 'stable',
};

function runtime(id: string, over: Partial<ModelRuntime> = {}): ModelRuntime {
  return {
    id,
    loaded: false,
    kind: undefined,
    sizeBytes: 4 * gigabyte,
    vramBytes: undefined,
    quantization: undefined,
    ...over,
  };
}

function backend(id: string, over: Partial<Backend> = {}): Backend {
  return {
    id: id as BackendId,
    name: id,
    url: `http://${id}`,
    backendType: 'ollama',
    status: 'healthy',
    statusReason: undefined,
    statusSince: instant(0),
    lastHealthCheck: instant(0),
    lastError: undefined,
    models: [modelFrom('m', {})],
    runtime: [runtime('m')],
    closures: [],
    load: undefined,
    currentOperation: undefined,
    priority: 50,
    discoverySource: 'manual',
    metadata: {},
    zone: 'restricted',
    tier: 1,
    capacity: 0,
    approved: true,
    simulated: false,
    apiKeyEnv: undefined,
    ...over,
  };
}

function advise(backends: readonly Backend[], over: Partial<DemandPattern> = {}) {
  return recommend([{ modelId: 'm', pattern: { ...pattern, ...over } }], backends, rules);
}

function targetsOf(...backends: readonly Backend[]): readonly string[] {
  return advise(backends)[0]?.targets ?? [];
}

test('a model that is wanted is recommended to a backend that does not have it loaded', () => {
  const [found] = advise([backend('box-1')]);
  assert.deepEqual(found, {
    modelId: 'm',
    targets: ['box-1'],
    confidence: 1,
    reasoning:
      'peaks at 09:00 UTC with 4.0 times its mean, 5000 requests in 14 days; GPU memory suffices.',
    vramRequiredBytes: 4 * gigabyte,
  });
});

test('a backend that cannot take it now is no target', () => {
  const without: readonly Partial<Backend>[] = [
    { status: 'unhealthy' },
    { status: 'draining' },
    { approved: false },
    { backendType: 'vllm' },
    { runtime: [runtime('m', { loaded: true, vramBytes: 1 })] },
    { runtime: [] },
    { closures: [{ modelId: 'other', reason: 'loading' }] },
    {
      models: [modelFrom('m', {}), modelFrom('o', {})],
      runtime: [runtime('m'), runtime('o', { loaded: true, vramBytes: 17 * gigabyte })],
    },
  ];
  for (const over of without) assert.deepEqual(targetsOf(backend('box-1', over)), []);
});

test('what is not known of the memory is said, and is no reason against it', () => {
  const silent = backend('box-2', {
    models: [modelFrom('m', {}), modelFrom('o', {})],
    runtime: [runtime('m'), runtime('o', { loaded: true })],
  });
  const [found] = advise([backend('box-1'), silent]);
  assert.deepEqual(found?.targets, ['box-1', 'box-2']);
  assert.match(found?.reasoning ?? '', /whether the GPU memory suffices is not known of box-2\.$/);
});

test('backends with the weights come first, and who would download is named', () => {
  const bare = backend('box-0', { models: [], runtime: [runtime('o')] });
  const [found] = advise([bare, backend('box-1')]);
  assert.deepEqual(found?.targets, ['box-1', 'box-0']);
  assert.match(found?.reasoning ?? '', /box-0 must download it first/);
  const router = backend('box-0', { backendType: 'llamacpp', models: [], runtime: [runtime('o')] });
  assert.deepEqual(targetsOf(router), [], 'it cannot download');
});

test('the size that is told is that of a loaded one, else of the weights, else nothing', () => {
  const loaded = backend('box-2', { runtime: [runtime('m', { loaded: true, vramBytes: 7 })] });
  assert.equal(
    advise([backend('box-1', { runtime: [runtime('m', { sizeBytes: 5 })] }), loaded])[0]
      ?.vramRequiredBytes,
    7,
  );
  const unsized = backend('box-1', { runtime: [runtime('m', { sizeBytes: undefined })] });
  assert.equal(advise([unsized])[0]?.vramRequiredBytes, undefined);
});

test('the surest come first, equals by id, and no more than asked for', () => {
  const demands = ['d', 'c', 'b', 'a', 'f', 'e'].map((modelId) => ({
    modelId,
    pattern: modelId === 'e' ? pattern : { ...pattern, peakRatio: 2.5 },
  }));
  const found = recommend(
    demands,
    [backend('box-1', { models: [], runtime: [runtime('x')] })],
    rules,
  );
  assert.deepEqual(
    found.map(({ modelId }) => modelId),
    ['e', 'a', 'b', 'c', 'd'],
  );
});
