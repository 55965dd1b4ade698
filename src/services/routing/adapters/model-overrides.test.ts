// Goal: what the operator says of a model wins, and of nothing else. Method: by hand, then from the
// option as a file writes it through a probe of a server that tells nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackendId } from '../../../base/brand.ts';
import { discoveryOptions } from '../../../config/fleet-options.ts';
import { modelFrom } from '../../../core/backends/heuristics.ts';
import { byPath, startServer } from '../../../io/http/probe/json-server.test-support.ts';
import { createProbeClient } from '../../../io/http/probe/probe-client.ts';
import { withOverrides } from './model-overrides.ts';
import { createProbeBackend } from './probe-backend.ts';

const plain = modelFrom('house-7b', {});

test('what is said wins, what is not said stays', () => {
  const [model] = withOverrides([plain], [{ model: 'house-7b', contextLength: 9000, tools: true }]);
  assert.deepEqual(model, { ...plain, contextLength: 9000, supportsTools: true });
});

test('a beginning and a star covers all that begin so; the first that covers counts', () => {
  const models = [plain, modelFrom('other', {})];
  const said = withOverrides(models, [
    { model: 'house-*', contextLength: 1000 },
    { model: 'house-7b', contextLength: 2000 },
  ]);
  assert.deepEqual(
    said.map(({ contextLength }) => contextLength),
    [1000, 4096],
  );
});

test('letters count, and without overrides the same list comes back', () => {
  assert.deepEqual(withOverrides([plain], [{ model: 'House-7b', vision: true }]), [plain]);
  const models = [plain];
  assert.equal(withOverrides(models, []), models);
});

test('the option of the configuration file reaches the models that a probe finds', async (context) => {
  const modelOverrides = discoveryOptions.modelFacts.schema.parse([
    { model: 'house-*', context_length: 12_345, json_mode: true },
  ]);
  const server = await startServer(byPath({ '/v1/models': { data: [{ id: 'house-7b' }] } }));
  context.after(() => server.close());
  const probe = createProbeBackend({
    client: createProbeClient({ monotonicMs: () => performance.now(), mayContact: () => true }),
    timeoutMs: 5000,
    readCredential: () => undefined,
    modelOverrides,
  });
  const result = await probe({
    id: 'house' as BackendId,
    url: server.url,
    backendType: 'generic',
    apiKeyEnv: undefined,
    discoverySource: 'static',
    approved: true,
  });
  assert.equal(result.kind, 'healthy');
  const [model] = result.models ?? [];
  assert.deepEqual([model?.contextLength, model?.supportsJsonMode], [12_345, true]);
});
