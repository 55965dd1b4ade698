// Goal: a configuration that is read again changes what it names and nothing else. Method: the real
// registry, with the facts that a configuration comes to.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestFleet } from '../../test/registry/fleet.test-support.ts';
import { newBackend } from '../../test/registry/records.test-support.ts';
import type { BackendId } from '../base/brand.ts';
import type { NewBackend } from '../services/routing/fleet.ts';
import { reconcileConfigured } from './fleet-start.ts';

const a = newBackend('a');
const b = newBackend('b');

function started(...facts: readonly NewBackend[]): TestFleet {
  const fleet = new TestFleet();
  for (const one of facts) fleet.add(one.name, one);
  return fleet;
}

const shown = ({ fleet }: TestFleet) => fleet.listBackends().map(({ id, url }) => `${id} ${url}`);

test('reading the same again changes neither records nor slots', () => {
  const at = started(a, b);
  const handles = [at.fleet.handleOf('a'), at.fleet.handleOf('b')];
  at.probed('a' as BackendId, { status: 'healthy' });
  reconcileConfigured(at.fleet, [a, b]);
  assert.deepEqual([at.fleet.handleOf('a'), at.fleet.handleOf('b')], handles);
  assert.equal(at.fleet.getBackend('a' as BackendId)?.status, 'healthy');
});

test('priority, zone, tier and capacity apply in place', () => {
  const at = started(a);
  const handle = at.fleet.handleOf('a');
  at.probed('a' as BackendId, { status: 'healthy' });
  const change = { priority: 7, zone: 'open', tier: 4, capacity: 9 } as const;
  reconcileConfigured(at.fleet, [{ ...a, ...change }]);
  const after = at.fleet.require('a');
  assert.deepEqual([after.priority, after.zone, after.tier, after.capacity], [7, 'open', 4, 9]);
  assert.deepEqual(at.fleet.handleOf('a'), handle);
  assert.equal(after.status, 'healthy');
  assert.equal(at.deltas.at(-1)?.upsert[0]?.priority, 7, 'the threads know it');
});

test('a capacity that is configured no more is forgotten, one that a probe learned is not', () => {
  const at = started({ ...a, capacity: 9 }, { ...b, metadata: { capacity_source: 'probe' } });
  at.fleet.edit('b', { capacity: 5 });
  reconcileConfigured(at.fleet, [a, b]);
  assert.equal(at.fleet.require('a').capacity, 0);
  assert.equal(at.fleet.require('b').capacity, 5);
});

test('another address, type or credential is another server under the same id', () => {
  const changes: readonly Partial<NewBackend>[] = [
    { url: 'http://elsewhere.test:8000' },
    { type: 'generic' },
    { apiKeyEnv: 'TENSORFORGE_BACKEND_KEY_A' },
  ];
  for (const change of changes) {
    const at = started(a, b);
    const before = at.fleet.handleOf('a');
    at.probed('a' as BackendId, { status: 'healthy' });
    reconcileConfigured(at.fleet, [{ ...a, ...change }, b]);
    const after = at.fleet.require('a');
    assert.equal(after.url, change.url ?? a.url);
    assert.equal(after.status, 'unknown', 'nobody knows the new server yet');
    assert.notDeepEqual(at.fleet.handleOf('a'), before);
    assert.equal(at.fleet.listBackends().length, 2);
  }
});

test('an operator’s drain outlives a change of address', () => {
  const at = started(a);
  at.fleet.setDraining('a', true);
  reconcileConfigured(at.fleet, [{ ...a, url: 'http://elsewhere.test:8000' }]);
  assert.equal(at.fleet.require('a').status, 'draining');
  reconcileConfigured(at.fleet, [{ ...a, url: 'http://elsewhere.test:8000', priority: 1 }]);
  assert.equal(at.fleet.require('a').status, 'draining');
});

test('what is not configured any more goes, and two may change places', () => {
  const at = started(a, b);
  reconcileConfigured(at.fleet, [{ ...a, url: b.url }]);
  assert.deepEqual(shown(at), [`a ${b.url}`]);
  reconcileConfigured(at.fleet, [a, b]);
  reconcileConfigured(at.fleet, [
    { ...a, url: b.url },
    { ...b, url: a.url },
  ]);
  assert.deepEqual(shown(at).sort(), [`a ${b.url}`, `b ${a.url}`]);
});

test('what operators added and what was found stays, but gives way to its configured twin', () => {
  const at = started(a);
  at.add('mine', { source: 'manual', url: 'http://mine.test:8000' });
  at.add('found', { source: 'mdns', url: 'http://found.test:8000', approved: false });
  reconcileConfigured(at.fleet, [a]);
  assert.equal(at.fleet.listBackends().length, 3);
  const twins = [
    newBackend('found', { url: 'http://found.test:8000' }),
    newBackend('other', { url: 'http://mine.test:8000' }),
  ];
  reconcileConfigured(at.fleet, [a, ...twins]);
  assert.deepEqual(
    at.fleet.listBackends().map(({ id, discoverySource }) => `${id} ${discoverySource}`),
    ['a static', 'mine manual', 'found static'],
  );
  assert.equal(at.fleet.require('found').approved, true);
});

test('a request that runs on a removed backend still counts on its own slot', () => {
  const at = started(a);
  const handle = at.fleet.handleOf('a');
  assert.equal(at.arena.increment(handle, 0), 1);
  reconcileConfigured(at.fleet, [{ ...a, url: 'http://elsewhere.test:8000' }]);
  assert.equal(at.fleet.counters('a' as BackendId).pendingRequests, 0);
  at.arena.decrement(handle, 0);
  assert.equal(at.fleet.counters('a' as BackendId).pendingRequests, 0);
});
