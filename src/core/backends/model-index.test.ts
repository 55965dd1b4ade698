// Goal: the index by model keeps I1 to I4 by itself, and its own check sees when it does not.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { BackendId } from '../../base/brand.ts';
import { instant } from '../../base/time.ts';
import type { Backend, Model } from './backend.ts';
import { modelFrom } from './heuristics.ts';
import { ModelIndex } from './model-index.ts';

const id = (text: string): BackendId => text as BackendId;
const models = (...ids: string[]): Model[] => ids.map((one) => modelFrom(one, {}));

function backend(name: string, ...ids: string[]): Backend {
  return {
    id: id(name),
    name,
    url: `http://${name}`,
    backendType: 'vllm',
    status: 'healthy',
    statusReason: undefined,
    statusSince: instant(0),
    lastHealthCheck: instant(0),
    lastError: undefined,
    models: models(...ids),
    priority: 50,
    discoverySource: 'static',
    metadata: {},
    zone: 'restricted',
    tier: 1,
    capacity: 0,
    approved: true,
    simulated: false,
    runtime: [],
    closures: [],
    load: undefined,
    currentOperation: undefined,
    apiKeyEnv: undefined,
  };
}

it('lists backends in the order they were added, each once', () => {
  const index = new ModelIndex();
  index.add(id('b'), models('m', 'm', 'n'));
  index.add(id('a'), models('m'));
  index.add(id('b'), models('m'));
  assert.deepEqual(index.backendsOf('m'), ['b', 'a']);
  assert.deepEqual(index.backendsOf('n'), ['b']);
  assert.equal(index.modelCount, 2);
});

it('keeps no empty entry and answers an unknown model with nothing', () => {
  const index = new ModelIndex();
  index.add(id('a'), models('m', 'n'));
  index.remove(id('a'), models('m', 'x'));
  assert.deepEqual(index.modelIds(), ['n']);
  assert.deepEqual(index.backendsOf('m'), []);
  assert.deepEqual(index.backendsOf('toString'), []);
});

it('a list that was read does not change later and cannot be changed', () => {
  const index = new ModelIndex();
  index.add(id('a'), models('m'));
  const before = index.backendsOf('m');
  index.add(id('b'), models('m'));
  assert.deepEqual(before, ['a']);
  assert.throws(() => (before as BackendId[]).push(id('c')), TypeError);
});

it('its check names each fault by its number', () => {
  const index = new ModelIndex();
  index.add(id('a'), models('m', 'gone'));
  index.add(id('ghost'), models('m'));
  const truth = new Map([
    [id('a'), backend('a', 'm', 'missing')],
    [id('b'), backend('b', 'm')],
  ]);
  const faults = index.faults(truth).sort();
  assert.deepEqual(faults, [
    'I1: a is listed under gone',
    'I1: ghost is listed under m',
    'I2: a is missing under missing',
    'I2: b is missing under m',
  ]);
  assert.deepEqual(new ModelIndex().faults(new Map()), []);
});
