// Goal: T02 to T04: the closed sets and values of the registry, the view of a backend and its JSON, and
// the two errors, as the specification writes them (BR 1). Method: texts and numbers by hand, then any
// view through JSON and back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backendTypes } from '../../src/base/backend-type.ts';
import { instant } from '../../src/base/time.ts';
import { backendStatuses, discoverySources } from '../../src/core/backends/backend.ts';
import { operationStatuses, operationTypes } from '../../src/core/backends/operation.ts';
import { RegistryError } from '../../src/core/backends/registry.ts';
import { parseBackendView } from '../../src/protocol/control/backend-json.ts';
import { backendViewSchema, modelSchema } from '../../src/protocol/control/schemas.ts';
import { backendView } from '../../src/services/routing/backend-view.ts';
import { holds } from '../support/properties.ts';
import { TestFleet } from './fleet.test-support.ts';
import { modelOf, newBackend } from './records.test-support.ts';

const now = instant(Date.UTC(2026, 10, 21, 12));

function viewOf(facts: Parameters<typeof newBackend>[1] = {}) {
  const test = new TestFleet();
  const { fleet } = test;
  const backend = test.add('box', facts);
  return backendView(backend, fleet.counters(backend.id), now, 15_000);
}

// ---- T02 -------------------------------------------------------------------------------------

test('T02 backend types are nine lower-case words without separators', () => {
  assert.deepEqual([...backendTypes].sort(), [
    'anthropic',
    'exo',
    'generic',
    'google',
    'llamacpp',
    'lmstudio',
    'ollama',
    'openai',
    'vllm',
  ]);
});

test('T02 statuses are healthy, unhealthy, unknown and draining', () => {
  assert.deepEqual([...backendStatuses], ['healthy', 'unhealthy', 'unknown', 'draining']);
});

test('T02 discovery sources are static, mdns and manual; operations and their states as written', () => {
  assert.deepEqual([...discoverySources], ['static', 'mdns', 'manual']);
  assert.deepEqual([...operationTypes], ['load', 'unload', 'migrate', 'download']);
  assert.deepEqual([...operationStatuses], ['pending', 'in_progress', 'completed', 'failed']);
});

test('T02 a model has seven members, and a view writes each of them', () => {
  const model = modelOf('llama3:70b', { maxOutputTokens: 4096, supportsVision: true });
  assert.equal(Object.keys(model).length, 7);
  const [wire] = viewOf({ models: [model] }).models;
  assert.deepEqual(wire, {
    id: 'llama3:70b',
    name: 'llama3:70b',
    context_length: 8192,
    supports_vision: true,
    supports_tools: true,
    supports_json_mode: true,
    max_output_tokens: 4096,
  });
});

test('T02 a model without an output limit says null, and comes back equal', () => {
  const [wire] = viewOf({ models: [modelOf('m')] }).models;
  assert.match(JSON.stringify(wire), /"max_output_tokens":null/);
  assert.deepEqual(modelSchema.parse(JSON.parse(JSON.stringify(wire))), wire);
});

// ---- T03 -------------------------------------------------------------------------------------

test('T03 a new backend keeps what it was given', () => {
  const { fleet } = new TestFleet();
  const facts = newBackend('box', { type: 'ollama', source: 'mdns', metadata: { version: '0.5' } });
  const record = fleet.compose(fleet.idFor('box', facts.url), facts);
  assert.equal(record.name, 'box');
  assert.equal(record.url, facts.url);
  assert.equal(record.backendType, 'ollama');
  assert.equal(record.discoverySource, 'mdns');
  assert.deepEqual(record.metadata, { version: '0.5' });
});

test('T03 a new backend is unknown, without error, with every counter at zero and a time of its own', () => {
  const view = viewOf();
  assert.equal(view.status, 'unknown');
  assert.equal(view.last_error, null);
  assert.equal(view.last_health_check, '2026-11-21T12:00:00.000Z');
  assert.equal(view.current_operation, null);
  assert.deepEqual([view.pending_requests, view.total_requests, view.avg_latency_ms], [0, 0, 0]);
});

test('T03 a view shows what the record says, and comes back equal through JSON', () => {
  const view = viewOf({ models: [modelOf('m')], priority: -7 });
  assert.equal(view.priority, -7);
  const back = parseBackendView(JSON.stringify(view));
  assert.deepEqual(back, { ok: true, value: view });
});

test('T03 metadata that looks like a credential is not shown, the name of a variable is', () => {
  const metadata = { api_key: 's', Auth_Token: 's', client_secret: 's', authorization: 's' };
  const view = viewOf({ metadata: { ...metadata, api_key_env: 'OPENAI_API_KEY', version: '1' } });
  assert.deepEqual(view.metadata, { api_key_env: 'OPENAI_API_KEY', version: '1' });
});

test('the members of a view stand in the order of the specification', () => {
  const documented = [
    'id',
    'name',
    'url',
    'backend_type',
    'status',
    'last_health_check',
    'last_error',
    'models',
    'priority',
    'pending_requests',
    'total_requests',
    'avg_latency_ms',
    'discovery_source',
    'metadata',
    'current_operation',
  ];
  const written = Object.keys(viewOf()).filter((name) => documented.includes(name));
  assert.deepEqual(written, documented);
});

test('absent members that may be null are read as null, and fractions of a second in any length', () => {
  const view = viewOf({ models: [modelOf('m')] });
  const { last_error: _error, current_operation: _operation, ...rest } = view;
  const models = rest.models.map(({ max_output_tokens: _max, ...model }) => model);
  for (const [fraction, ms] of [
    ['', '000'],
    ['.5', '500'],
    ['.123456789', '123'],
  ] as const) {
    const text = JSON.stringify({
      ...rest,
      models,
      last_health_check: `2026-11-21T12:00:00${fraction}Z`,
    });
    const back = parseBackendView(text);
    assert.deepEqual(back, {
      ok: true,
      value: { ...view, last_health_check: `2026-11-21T12:00:00.${ms}Z` },
    });
  }
});

test('an unknown text of a closed set, another type and no JSON are faults that name the member', () => {
  const view = viewOf();
  const faults: readonly (readonly [object, RegExp])[] = [
    [{ ...view, backend_type: 'llama_cpp' }, /backend_type/],
    [{ ...view, backend_type: 'vLLM' }, /backend_type/],
    [{ ...view, status: 'Healthy' }, /status/],
    [{ ...view, discovery_source: 'mDNS' }, /discovery_source/],
    [{ ...view, pending_requests: '1' }, /pending_requests/],
    [{ ...view, last_health_check: 'yesterday' }, /last_health_check/],
    [{ ...view, models: [{ id: 7 }] }, /models\.0\.id/],
  ];
  for (const [json, words] of faults) {
    const back = parseBackendView(JSON.stringify(json));
    assert.ok(!back.ok);
    assert.match(back.error.message, words);
  }
  assert.equal(parseBackendView('{').ok, false);
  assert.equal(parseBackendView('[]').ok, false);
});

const text = fc.string({ maxLength: 40 });
const anyView = fc.record({
  name: text,
  lastError: fc.option(text),
  priority: fc.integer({ min: -1000, max: 1000 }),
  pending: fc.nat(),
  total: fc.nat(Number.MAX_SAFE_INTEGER),
  status: fc.constantFrom(...backendStatuses),
  type: fc.constantFrom(...backendTypes),
  metadata: fc.dictionary(text, text, { noNullPrototype: true }),
  checkedMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  output: fc.option(fc.nat()),
});

holds(
  'T03 any view comes back equal through JSON',
  fc.property(anyView, (any) => {
    const [model] = viewOf({ models: [modelOf('m')] }).models;
    const view = {
      ...viewOf(),
      name: any.name,
      last_error: any.lastError,
      priority: any.priority,
      pending_requests: any.pending,
      total_requests: any.total,
      status: any.status,
      backend_type: any.type,
      metadata: any.metadata,
      last_health_check: new Date(any.checkedMs).toISOString(),
      models: model === undefined ? [] : [{ ...model, max_output_tokens: any.output }],
    };
    assert.equal(backendViewSchema.safeParse(view).success, true);
    assert.deepEqual(parseBackendView(JSON.stringify(view)), { ok: true, value: view });
  }),
  { runs: 256 },
);

// ---- T04 -------------------------------------------------------------------------------------

test('T04 a duplicate says its id in the words of the specification', () => {
  const error = new RegistryError('duplicate_backend', 'box-1');
  assert.equal(error.message, 'backend already exists: box-1');
  assert.equal(error.backendId, 'box-1');
});

test('T04 an unknown backend says its id in the words of the specification', () => {
  const error = new RegistryError('backend_not_found', 'box-1');
  assert.equal(error.message, 'backend not found: box-1');
  assert.equal(error.code, 'backend_not_found');
});

test('T04 both are errors that can be caught as such', () => {
  for (const code of ['duplicate_backend', 'backend_not_found'] as const) {
    const error = new RegistryError(code, 'x');
    assert.ok(error instanceof Error);
    assert.equal(error.name, 'RegistryError');
  }
});
