// Goal: T05 to T08: the operations of the registry as the specification lists them (BR 2, 3, 4), on the
// product's own fleet over a real arena. Method: one case each, then any sequence of mutations against
// a naive map with the invariants of the model index checked after every step.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BackendId } from '../../src/base/brand.ts';
import { RegistryError } from '../../src/core/backends/registry.ts';
import { BackendLease } from '../../src/services/gateway/backend-lease.ts';
import { holds } from '../support/properties.ts';
import { TestFleet } from './fleet.test-support.ts';
import { modelOf, newBackend } from './records.test-support.ts';

const m = modelOf('m');
const n = modelOf('n');
const unknown = 'nobody' as BackendId;

function refusal(code: 'duplicate_backend' | 'backend_not_found', id: string) {
  return (error: unknown): boolean =>
    error instanceof RegistryError && error.code === code && error.backendId === id;
}

// ---- T05 -------------------------------------------------------------------------------------

test('T05 a new registry is empty', () => {
  const { fleet } = new TestFleet();
  assert.deepEqual([fleet.listBackends().length, fleet.modelCount], [0, 0]);
});

test('T05 what was added is there', () => {
  const test = new TestFleet();
  const added = test.add('a', { models: [m] });
  assert.equal(test.fleet.getBackend(added.id), added);
});

test('T05 an id that is taken is refused, and nothing has changed', () => {
  const test = new TestFleet();
  const added = test.add('a', { models: [m] });
  const twin = { ...added, url: 'http://elsewhere:1', models: [n] };
  assert.throws(() => test.fleet.insert(twin), refusal('duplicate_backend', 'a'));
  assert.equal(test.fleet.getBackend(added.id), added);
  assert.deepEqual(test.listed('n'), []);
  assert.deepEqual(test.fleet.verifyIndex(), []);
});

test('T05 removing gives the last record and its last figures, detached', () => {
  const test = new TestFleet();
  const { id } = test.add('a', { models: [m] });
  const handle = test.fleet.handleOf(id);
  test.arena.increment(handle, 0);
  test.arena.addTotal(handle);
  const { backend, counters } = test.fleet.remove(id);
  assert.equal(backend.id, 'a');
  assert.deepEqual([counters.pendingRequests, counters.totalRequests], [1, 1]);
  test.arena.addTotal(handle);
  assert.equal(counters.totalRequests, 1);
  assert.equal(test.fleet.getBackend(id), undefined);
});

test('T05 removing an unknown backend is refused', () => {
  const { fleet } = new TestFleet();
  assert.throws(() => fleet.remove('nobody'), refusal('backend_not_found', 'nobody'));
});

test('T05 get finds what is there', () => {
  const test = new TestFleet();
  test.add('a');
  assert.equal(test.fleet.getBackend('a' as BackendId)?.name, 'a');
});

test('T05 get answers undefined for what is not there, and never throws', () => {
  const { fleet } = new TestFleet();
  assert.equal(fleet.getBackend(unknown), undefined);
  assert.deepEqual(fleet.forModel('__proto__'), []);
});

test('T05 all come in the order in which they were added', () => {
  const test = new TestFleet();
  for (const name of ['c', 'a', 'b']) test.add(name);
  assert.deepEqual(
    test.fleet.listBackends().map(({ id }) => id),
    ['c', 'a', 'b'],
  );
});

test('T05 counts follow adding and removing', () => {
  const test = new TestFleet();
  test.add('a', { models: [m] });
  test.add('b', { models: [m, n] });
  assert.deepEqual([test.fleet.listBackends().length, test.fleet.modelCount], [2, 2]);
  test.fleet.remove('b');
  assert.deepEqual([test.fleet.listBackends().length, test.fleet.modelCount], [1, 1]);
});

// ---- T06 -------------------------------------------------------------------------------------

test('T06 adding indexes every model', () => {
  const test = new TestFleet();
  test.add('a', { models: [m, n] });
  assert.deepEqual([test.listed('m'), test.listed('n')], [['a'], ['a']]);
});

test('T06 removing takes every model out of the index', () => {
  const test = new TestFleet();
  test.add('a', { models: [m, n] });
  test.fleet.remove('a');
  assert.deepEqual([test.listed('m'), test.listed('n')], [[], []]);
  assert.equal(test.fleet.modelCount, 0);
});

test('T06 a query finds the one backend that has the model', () => {
  const test = new TestFleet();
  test.add('a', { models: [m] });
  test.add('b', { models: [n] });
  assert.deepEqual(test.listed('m'), ['a']);
});

test('T06 a query finds all backends that have the model, whatever their status', () => {
  const test = new TestFleet();
  for (const name of ['a', 'b', 'c']) test.add(name, { models: [m] });
  test.probed('a' as BackendId, { status: 'healthy' });
  test.probed('b' as BackendId, { status: 'unhealthy', error: 'HTTP error: 500' });
  test.fleet.setDraining('c', true);
  assert.deepEqual(test.listed('m'), ['a', 'b', 'c']);
});

test('T06 a query for an unknown model gives an empty list; ids are compared letter by letter', () => {
  const test = new TestFleet();
  test.add('a', { models: [m] });
  assert.deepEqual([test.listed('M'), test.listed('m '), test.listed('')], [[], [], []]);
});

function healthyIds(test: TestFleet): string[] {
  return test.fleet.listHealthy().map(({ id }) => id);
}

test('T06 healthy lists the healthy one', () => {
  const test = new TestFleet();
  test.add('a');
  assert.deepEqual(healthyIds(test), []);
  test.probed('a' as BackendId, { status: 'healthy' });
  assert.deepEqual(healthyIds(test), ['a']);
});

test('T06 healthy leaves out the unhealthy one', () => {
  const test = new TestFleet();
  test.add('a');
  test.probed('a' as BackendId, { status: 'unhealthy', error: 'HTTP error: 500' });
  assert.deepEqual(healthyIds(test), []);
});

test('T06 healthy leaves out the draining one', () => {
  const test = new TestFleet();
  test.add('a');
  test.probed('a' as BackendId, { status: 'healthy' });
  test.fleet.setDraining('a', true);
  assert.deepEqual(healthyIds(test), []);
});

test('T06 models are counted once, of unhealthy backends too', () => {
  const test = new TestFleet();
  test.add('a', { models: [m, n, m] });
  test.add('b', { models: [m] });
  assert.equal(test.fleet.modelCount, 2);
  assert.equal(test.fleet.getBackend('a' as BackendId)?.models.length, 2);
});

// ---- T07 -------------------------------------------------------------------------------------

test('T07 a status is written, for threads at once', () => {
  const test = new TestFleet();
  const { id } = test.add('a');
  test.probed(id, { status: 'healthy' });
  assert.equal(test.fleet.require(id).status, 'healthy');
  assert.equal(test.arena.statusCode(test.fleet.handleOf(id).slot), 1);
});

test('T07 the time of the last check is later after each check', () => {
  const test = new TestFleet();
  const { id } = test.add('a');
  const before = test.fleet.require(id).lastHealthCheck;
  test.probed(id, { status: 'healthy' });
  const after = test.fleet.require(id).lastHealthCheck;
  assert.ok(after > before);
  test.probed(id, { status: 'healthy' });
  assert.ok(test.fleet.require(id).lastHealthCheck > after);
});

test('T07 unhealthy keeps its error', () => {
  const test = new TestFleet();
  const { id } = test.add('a');
  test.probed(id, { status: 'unhealthy', error: 'HTTP error: 500' });
  assert.equal(test.fleet.require(id).lastError, 'HTTP error: 500');
});

test('T07 healthy has no error, even when one is given', () => {
  const test = new TestFleet();
  const { id } = test.add('a');
  test.probed(id, { status: 'unhealthy', error: 'HTTP error: 500' });
  test.probed(id, { status: 'healthy', error: 'left over' });
  assert.equal(test.fleet.require(id).lastError, undefined);
});

test('T07 a status for an unknown backend is no fault of a probe, and is refused to an operator', () => {
  const test = new TestFleet();
  test.probed(unknown, { status: 'healthy' });
  assert.throws(
    () => test.fleet.setDraining('nobody', true),
    refusal('backend_not_found', 'nobody'),
  );
});

test('T07 a new list of models replaces the old one, and the index follows', () => {
  const test = new TestFleet();
  const { id } = test.add('a', { models: [m] });
  test.probed(id, { status: 'healthy', models: [n] });
  assert.deepEqual([test.listed('m'), test.listed('n')], [[], ['a']]);
  test.probed(id, { status: 'healthy', models: [] });
  assert.equal(test.fleet.modelCount, 0);
});

test('T07 an equal list changes nothing: neither the record of the models nor the order of the index', () => {
  const test = new TestFleet();
  const { id } = test.add('a', { models: [m] });
  test.add('b', { models: [m] });
  const { models } = test.fleet.require(id);
  test.probed(id, { status: 'unknown', models: [{ ...m }] });
  assert.equal(test.fleet.require(id).models, models);
  assert.deepEqual(test.listed('m'), ['a', 'b']);
});

test('T07 one model is added and taken away again; twice is once', () => {
  const test = new TestFleet();
  const { id } = test.add('a', { models: [m] });
  test.fleet.addModel(id, n);
  const record = test.fleet.addModel(id, modelOf('n', { contextLength: 1 }));
  assert.equal(record.models.find((model) => model.id === 'n')?.contextLength, n.contextLength);
  test.fleet.removeModel(id, 'n');
  assert.equal(test.fleet.removeModel(id, 'n').models.length, 1);
  assert.throws(() => test.fleet.addModel(unknown, n), refusal('backend_not_found', 'nobody'));
});

// ---- T08 -------------------------------------------------------------------------------------

test('T08 counting up gives the value after', () => {
  const test = new TestFleet();
  const handle = test.fleet.handleOf(test.add('a').id);
  assert.deepEqual([test.arena.increment(handle, 0), test.arena.increment(handle, 1)], [1, 2]);
  assert.equal(test.fleet.counters('a' as BackendId).pendingRequests, 2);
});

test('T08 counting down gives the value after', () => {
  const test = new TestFleet();
  const handle = test.fleet.handleOf(test.add('a').id);
  test.arena.increment(handle, 0);
  test.arena.increment(handle, 0);
  assert.deepEqual([test.arena.decrement(handle, 0), test.arena.decrement(handle, 0)], [1, 0]);
});

test('T08 counting down at zero stays at zero and is told, each time', () => {
  const test = new TestFleet();
  const handle = test.fleet.handleOf(test.add('a').id);
  assert.deepEqual([test.arena.decrement(handle, 0), test.arena.decrement(handle, 0)], [-1, -1]);
  assert.equal(test.fleet.counters('a' as BackendId).pendingRequests, 0);
});

test('T08 the first sample is the average', () => {
  const test = new TestFleet();
  const handle = test.fleet.handleOf(test.add('a').id);
  test.arena.recordProbeLatency(handle, 100);
  assert.equal(test.fleet.counters('a' as BackendId).avgLatencyMs, 100);
});

test('T08 100, 200 and 150 ms average to 100, 120 and 126', () => {
  const test = new TestFleet();
  const handle = test.fleet.handleOf(test.add('a').id);
  const seen = [100, 200, 150].map((ms) => {
    test.arena.recordProbeLatency(handle, ms);
    return test.fleet.counters('a' as BackendId).avgLatencyMs;
  });
  assert.deepEqual(seen, [100, 120, 126]);
});

test('T08 0 ms is a sample: 4 falls to 3, 2, 1, 0, and what comes after 0 replaces it', () => {
  const test = new TestFleet();
  const handle = test.fleet.handleOf(test.add('a').id);
  const average = (ms: number): number => {
    test.arena.recordProbeLatency(handle, ms);
    return test.fleet.counters('a' as BackendId).avgLatencyMs;
  };
  assert.deepEqual([4, 0, 0, 0, 0, 100].map(average), [4, 3, 2, 1, 0, 100]);
  assert.equal(test.fleet.counters('a' as BackendId).latencySamples, 6);
});

test('T08 what is no latency is refused', () => {
  const test = new TestFleet();
  const handle = test.fleet.handleOf(test.add('a').id);
  for (const bad of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    assert.throws(() => test.arena.recordProbeLatency(handle, bad), TypeError);
  }
});

test('T08 counters of an unknown backend are refused, and those of a removed one change nobody else', () => {
  const test = new TestFleet();
  assert.throws(() => test.fleet.handleOf('nobody'), refusal('backend_not_found', 'nobody'));
  const old = test.fleet.handleOf(test.add('a').id);
  const lease = BackendLease.take(test.arena, old, 0, 0);
  test.fleet.remove('a');
  const again = test.add('a');
  lease?.release();
  lease?.release();
  assert.equal(test.arena.increment(old, 0), undefined);
  assert.equal(test.fleet.counters(again.id).pendingRequests, 0);
});

// ---- beyond the seed -------------------------------------------------------------------------

test('an address is found by its text without trailing slashes, and by whoever knows it is the same', () => {
  const own = (url: string): string => url.replace('localhost', '127.0.0.1');
  const test = new TestFleet({ sameEndpoint: (a, b) => own(a) === own(b) });
  test.add('a', { url: 'http://127.0.0.1:8000' });
  assert.equal(test.fleet.byUrl('http://127.0.0.1:8000//')?.id, 'a');
  assert.equal(test.fleet.byUrl('http://localhost:8000')?.id, 'a');
  assert.equal(test.fleet.byUrl('http://127.0.0.1:8001'), undefined);
});

test('an announced instance is found by its exact name, until its backend goes', () => {
  const test = new TestFleet();
  const { id } = test.add('a', { source: 'mdns' });
  test.fleet.setMdnsInstance(id, 'Box._ollama._tcp.local');
  assert.equal(test.fleet.findByMdnsInstance('Box._ollama._tcp.local'), 'a');
  assert.equal(test.fleet.findByMdnsInstance('box._ollama._tcp.local'), undefined);
  test.fleet.setMdnsInstance(id, 'Other._ollama._tcp.local');
  assert.equal(test.fleet.findByMdnsInstance('Box._ollama._tcp.local'), undefined);
  test.fleet.remove('a');
  assert.equal(test.fleet.findByMdnsInstance('Other._ollama._tcp.local'), undefined);
});

test('what was found gives way to what somebody names at the same address, never the reverse', () => {
  const test = new TestFleet();
  const url = 'http://127.0.0.1:8000';
  test.add('found', { source: 'mdns', url });
  test.add('mine', { source: 'static', url });
  assert.deepEqual(
    test.fleet.listBackends().map(({ id }) => id),
    ['mine'],
  );
  assert.throws(() => test.add('found', { source: 'mdns', url }), /has the address/);
});

test('a record that was read never changes, and cannot be changed', () => {
  const test = new TestFleet();
  const { id } = test.add('a', { models: [m] });
  const held = test.fleet.require(id);
  const [listed] = test.fleet.forModel('m');
  test.probed(id, { status: 'healthy', models: [n] });
  assert.equal(held.status, 'unknown');
  assert.equal(listed, held);
  assert.throws(() => Object.assign(held, { status: 'healthy' }), TypeError);
  assert.throws(() => (test.fleet.forModel('n') as unknown[]).push(held), TypeError);
});

test('a query gives the same list until a backend in it changes', () => {
  const test = new TestFleet();
  const { id } = test.add('a', { models: [m] });
  test.add('b', { models: [n] });
  const before = test.fleet.forModel('m');
  test.probed('b' as BackendId, { status: 'healthy' });
  assert.equal(test.fleet.forModel('m'), before);
  test.probed(id, { status: 'healthy' });
  assert.notEqual(test.fleet.forModel('m'), before);
  assert.equal(test.fleet.forModel('m')[0]?.status, 'healthy');
});

test('what an engine tells of its load is there, and forgotten load is missing for the threads', () => {
  const test = new TestFleet();
  const { id } = test.add('a');
  const load = { running: 3, waiting: 1, kvUse: 0.5, readAt: test.fleet.require(id).statusSince };
  test.fleet.setLoad(id, load);
  assert.deepEqual(test.fleet.require(id).load, load);
  test.fleet.setLoad(id, undefined);
  assert.deepEqual(test.fleet.require(id).load, load, 'people still see the old one, with its age');
  assert.equal(test.deltas.length, 1, 'no thread was told of it');
});

test('an announcement that was withdrawn leaves the state unknown, with the reason; a drain stays', () => {
  const test = new TestFleet();
  const { id } = test.add('a');
  test.probed(id, { status: 'healthy' });
  assert.equal(test.fleet.lost(id, 'announcement withdrawn').lastError, 'announcement withdrawn');
  assert.equal(test.fleet.require(id).status, 'unknown');
  test.fleet.setDraining('a', true);
  assert.equal(test.fleet.lost(id, 'announcement withdrawn').status, 'draining');
});

// ---- any sequence ----------------------------------------------------------------------------

const names = ['a', 'b', 'c', 'd'] as const;
const modelIds = ['m1', 'm2', 'm3'] as const;
const someModels = fc.array(fc.constantFrom(...modelIds), { maxLength: 5 });
const step = fc.oneof(
  fc.record({ type: fc.constant('add'), name: fc.constantFrom(...names), models: someModels }),
  fc.record({ type: fc.constant('remove'), name: fc.constantFrom(...names) }),
  fc.record({ type: fc.constant('list'), name: fc.constantFrom(...names), models: someModels }),
  fc.record({
    type: fc.constantFrom('addModel', 'removeModel'),
    name: fc.constantFrom(...names),
    model: fc.constantFrom(...modelIds),
  }),
  fc.record({
    type: fc.constant('status'),
    name: fc.constantFrom(...names),
    status: fc.constantFrom('healthy' as const, 'unhealthy' as const),
  }),
);
type Step = {
  readonly type: string;
  readonly name: string;
  readonly models?: readonly string[];
  readonly model?: string;
  readonly status?: 'healthy' | 'unhealthy';
};

/** What the registry should say: a map of names to model ids. */
function naive(state: Map<string, string[]>, { type, name, models, model = '' }: Step): void {
  const listed = state.get(name);
  if (type === 'add' && listed === undefined) state.set(name, [...new Set(models)]);
  if (type === 'remove') state.delete(name);
  if (listed === undefined) return;
  if (type === 'list') state.set(name, [...new Set(models)]);
  if (type === 'addModel' && !listed.includes(model)) state.set(name, [...listed, model]);
  if (type === 'removeModel')
    state.set(
      name,
      listed.filter((id) => id !== model),
    );
}

function real(
  test: TestFleet,
  { type, name, models = [], model = '', status = 'healthy' }: Step,
): void {
  const id = name as BackendId;
  const list = models.map((one) => modelOf(one));
  if (type === 'add')
    test.fleet.insert({ ...test.fleet.compose(id, newBackend(name, { models: list })) });
  if (type === 'remove') test.fleet.remove(name);
  if (type === 'list') test.probed(id, { status: 'unknown', models: list });
  if (type === 'addModel') test.fleet.addModel(id, modelOf(model));
  if (type === 'removeModel') test.fleet.removeModel(id, model);
  if (type === 'status') test.probed(id, { status });
}

function check(test: TestFleet, state: ReadonlyMap<string, readonly string[]>): void {
  assert.deepEqual(test.fleet.verifyIndex(), []);
  assert.equal(test.fleet.listBackends().length, state.size);
  assert.equal(test.fleet.modelCount, new Set([...state.values()].flat()).size);
  for (const model of modelIds) {
    const holders = [...state].flatMap(([name, models]) => (models.includes(model) ? [name] : []));
    assert.deepEqual(test.listed(model).toSorted(), holders.toSorted());
    for (const record of test.fleet.forModel(model)) {
      assert.equal(record, test.fleet.getBackend(record.id), 'the list holds the present record');
    }
  }
}

holds(
  'any sequence of mutations leaves what a naive map says, and I1 to I6 after every step',
  fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const test = new TestFleet();
    const state = new Map<string, string[]>();
    for (const one of steps) {
      try {
        real(test, one);
      } catch (error) {
        assert.ok(error instanceof RegistryError);
        assert.equal(error.code === 'duplicate_backend', state.has(one.name));
      }
      naive(state, one);
      check(test, state);
    }
    assert.deepEqual(test.rebuilt, []);
  }),
  { runs: 300 },
);
