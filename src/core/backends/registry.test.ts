// Goal: the operations of BR 2 on the registry, case by case (T05 to T07), then any sequence of them
// against a naive map, with I1 to I6 checked after every step.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { BackendId } from '../../base/brand.ts';
import { instant } from '../../base/time.ts';
import { type Backend, backendStatuses, type Model } from './backend.ts';
import { modelFrom } from './heuristics.ts';
import { BackendRegistry, RegistryError } from './registry.ts';

const id = (text: string): BackendId => text as BackendId;
const models = (...ids: string[]): Model[] => ids.map((one) => modelFrom(one, {}));

function backend(name: string, facts: Partial<Backend> = {}): Backend {
  return {
    id: id(name),
    name,
    url: `http://${name}:8000`,
    backendType: 'vllm',
    status: 'unknown',
    statusReason: undefined,
    statusSince: instant(1),
    lastHealthCheck: instant(1),
    lastError: undefined,
    models: models('m'),
    priority: 0,
    discoverySource: 'static',
    metadata: { version: '1' },
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
    ...facts,
  };
}

function registryWith(...backends: Backend[]): BackendRegistry {
  const registry = new BackendRegistry();
  for (const one of backends) registry.add(one);
  return registry;
}

const ids = (backends: readonly Backend[]): string[] => backends.map((one) => one.id);

describe('adding and removing', () => {
  it('a new registry is empty', () => {
    const registry = new BackendRegistry();
    assert.deepEqual([registry.backendCount, registry.modelCount], [0, 0]);
    assert.deepEqual([registry.all(), registry.healthy(), registry.forModel('m')], [[], [], []]);
    assert.equal(registry.get('a'), undefined);
  });

  it('what was added is found, in the order it was added', () => {
    const registry = registryWith(backend('b'), backend('a'));
    assert.equal(registry.get('a')?.name, 'a');
    assert.deepEqual(ids(registry.all()), ['b', 'a']);
    assert.equal(registry.backendCount, 2);
  });

  it('an id that is taken is refused and nothing changes', () => {
    const registry = registryWith(backend('a'));
    assert.throws(
      () => registry.add(backend('a', { models: models('other'), url: 'http://elsewhere' })),
      (error) =>
        error instanceof RegistryError &&
        error.code === 'duplicate_backend' &&
        error.backendId === 'a' &&
        error.message === 'backend already exists: a',
    );
    assert.deepEqual(registry.modelIds(), ['m']);
    assert.equal(registry.byUrl('http://elsewhere'), undefined);
  });

  it('what is removed comes back with its last state and is gone from everywhere', () => {
    const registry = registryWith(backend('a', { models: models('m', 'only-a') }), backend('b'));
    registry.updateStatus(id('a'), { status: 'healthy', now: instant(5) });
    assert.equal(registry.remove(id('a')).status, 'healthy');
    assert.equal(registry.get('a'), undefined);
    assert.equal(registry.byUrl('http://a:8000'), undefined);
    assert.deepEqual(registry.modelIds(), ['m']);
    assert.deepEqual(ids(registry.forModel('m')), ['b']);
  });

  it('an unknown id is BackendNotFound in every operation that names one', () => {
    const registry = new BackendRegistry();
    const acts = [
      () => registry.remove(id('x')),
      () => registry.updateStatus(id('x'), { status: 'healthy', now: instant(1) }),
      () => registry.updateModels(id('x'), []),
      () => registry.updateFacts(id('x'), { priority: 1 }),
    ];
    for (const act of acts) {
      assert.throws(act, { code: 'backend_not_found', message: 'backend not found: x' });
    }
  });

  it('addresses are the same up to trailing slashes, and nothing else', () => {
    const registry = registryWith(backend('a', { url: 'http://Host:80/' }));
    assert.equal(registry.byUrl('http://Host:80')?.id, 'a');
    assert.equal(registry.byUrl('http://Host:80///')?.id, 'a');
    assert.equal(registry.byUrl('http://host:80'), undefined);
  });
});

describe('models', () => {
  it('are found by their exact id, whatever the status of the backend', () => {
    const registry = registryWith(
      backend('a', { models: models('m', 'M'), status: 'unhealthy' }),
      backend('b', { status: 'draining' }),
    );
    assert.deepEqual(ids(registry.forModel('m')), ['a', 'b']);
    assert.deepEqual(ids(registry.forModel('M')), ['a']);
    assert.equal(registry.modelCount, 2);
  });

  it('a list is replaced whole, the old ids go and the new ones come', () => {
    const registry = registryWith(backend('a', { models: models('old', 'both') }));
    registry.updateModels(id('a'), models('both', 'new'));
    assert.deepEqual([...registry.modelIds()].sort(), ['both', 'new']);
    assert.deepEqual(ids(registry.forModel('old')), []);
    registry.updateModels(id('a'), []);
    assert.equal(registry.modelCount, 0);
  });

  it('an equal list changes nothing: the same record stays', () => {
    const registry = registryWith(backend('a'), backend('b'));
    const before = registry.get('a');
    assert.equal(registry.updateModels(id('a'), models('m')), before);
    assert.deepEqual(ids(registry.forModel('m')), ['a', 'b']);
    const larger = [{ ...(models('m')[0] as Model), contextLength: 9 }];
    assert.notEqual(registry.updateModels(id('a'), larger), before);
    assert.deepEqual(ids(registry.forModel('m')), ['a', 'b']);
  });

  it('of one id given twice the last definition wins and stands once', () => {
    const [first, second] = [
      modelFrom('m', { contextLength: 1 }),
      modelFrom('m', { contextLength: 2 }),
    ];
    const registry = registryWith(backend('a', { models: [first, second] }));
    assert.deepEqual(
      registry.get('a')?.models.map((model) => model.contextLength),
      [2],
    );
    assert.deepEqual(registry.verifyIndex(), []);
  });
});

describe('status', () => {
  it('healthy is healthy only: not unknown, not draining, not unhealthy', () => {
    const registry = registryWith(...backendStatuses.map((status) => backend(status, { status })));
    assert.deepEqual(ids(registry.healthy()), ['healthy']);
  });

  it('takes the time of the check, and of the change only when something changed', () => {
    const registry = registryWith(backend('a'));
    registry.updateStatus(id('a'), { status: 'healthy', now: instant(10) });
    const again = registry.updateStatus(id('a'), { status: 'healthy', now: instant(20) });
    assert.deepEqual([again.statusSince, again.lastHealthCheck], [10, 20]);
    const busy = registry.updateStatus(id('a'), {
      status: 'healthy',
      reason: 'busy',
      now: instant(30),
    });
    assert.equal(busy.statusSince, 30);
  });

  it('an error is kept with any status but healthy', () => {
    const registry = registryWith(backend('a'));
    const set = (status: Backend['status'], error?: string) =>
      registry.updateStatus(id('a'), { status, error, now: instant(2) }).lastError;
    assert.equal(set('unhealthy', 'refused'), 'refused');
    assert.equal(set('draining', 'still'), 'still');
    assert.equal(set('unhealthy'), undefined);
    assert.equal(set('healthy', 'odd'), undefined);
  });
});

describe('records', () => {
  it('that were read never change, and nobody can change them', () => {
    const registry = registryWith(backend('a'));
    const before = registry.get('a');
    registry.updateStatus(id('a'), { status: 'healthy', now: instant(9) });
    registry.updateFacts(id('a'), { priority: 7 });
    registry.updateModels(id('a'), models('x'));
    assert.deepEqual([before?.status, before?.priority, before?.models.length], ['unknown', 0, 1]);
    const record: unknown = registry.get('a');
    const writable = record as { status: string; models: Model[]; metadata: object };
    assert.throws(() => {
      writable.status = 'healthy';
    }, TypeError);
    assert.throws(() => writable.models.push(modelFrom('y', {})), TypeError);
    assert.throws(() => Object.assign(writable.metadata, { a: '1' }), TypeError);
    assert.throws(() => Object.assign(writable.models[0] as object, { id: 'z' }), TypeError);
  });

  it('do not take part in what the caller does to its own object later', () => {
    const own = { ...backend('a'), models: models('m') };
    const registry = registryWith(own);
    own.models.push(modelFrom('late', {}));
    assert.equal(registry.modelCount, 1);
  });
});

describe('any sequence of operations', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const list = fc.array(fc.constantFrom('m', 'n', 'o', 'p'), { maxLength: 5 });
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), name, list }),
    fc.record({ kind: fc.constant('remove' as const), name }),
    fc.record({ kind: fc.constant('models' as const), name, list }),
    fc.record({
      kind: fc.constant('status' as const),
      name,
      status: fc.constantFrom(...backendStatuses),
    }),
    fc.record({ kind: fc.constant('facts' as const), name, priority: fc.nat(9) }),
  );

  it('keeps registry, index and a naive map equal (I1 to I6)', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const registry = new BackendRegistry();
        const naive = new Map<string, { models: Set<string>; status: string }>();
        for (const step of operations) {
          const known = naive.get(step.name);
          const indexBefore = registry.modelIds().map((m) => ids(registry.forModel(m)));
          const act = (): void => {
            switch (step.kind) {
              case 'add':
                registry.add(backend(step.name, { models: models(...step.list) }));
                naive.set(step.name, { models: new Set(step.list), status: 'unknown' });
                return;
              case 'remove':
                registry.remove(id(step.name));
                naive.delete(step.name);
                return;
              case 'models':
                registry.updateModels(id(step.name), models(...step.list));
                naive.set(step.name, { models: new Set(step.list), status: known?.status ?? '' });
                return;
              case 'status':
                registry.updateStatus(id(step.name), { status: step.status, now: instant(1) });
                naive.set(step.name, { models: known?.models ?? new Set(), status: step.status });
                return;
              case 'facts':
                registry.updateFacts(id(step.name), { priority: step.priority });
                return;
            }
          };
          const fails = step.kind === 'add' ? known !== undefined : known === undefined;
          if (fails) assert.throws(act, RegistryError);
          else act();

          assert.deepEqual(registry.verifyIndex(), []);
          assert.deepEqual(ids(registry.all()).sort(), [...naive.keys()].sort());
          const distinct = new Set([...naive.values()].flatMap((one) => [...one.models]));
          assert.equal(registry.modelCount, distinct.size);
          for (const model of ['m', 'n', 'o', 'p']) {
            const expected = [...naive].filter(([, one]) => one.models.has(model));
            assert.deepEqual(ids(registry.forModel(model)).sort(), expected.map(([n]) => n).sort());
          }
          const healthy = [...naive].filter(([, one]) => one.status === 'healthy');
          assert.deepEqual(ids(registry.healthy()).sort(), healthy.map(([n]) => n).sort());
          if (step.kind === 'status' || step.kind === 'facts') {
            const indexAfter = registry.modelIds().map((m) => ids(registry.forModel(m)));
            assert.deepEqual(indexAfter, indexBefore);
          }
        }
      }),
      { numRuns: 300, seed: 237 },
    );
  });
});
