// Goal: threads that hear shortened changes end with the targets that they would have by whole ones,
// and a list goes out once. Method: copies on both sides of a clone, compared.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackendId } from '../../base/brand.ts';
import { type RoutingSettings, type Target, usualSettings } from '../../core/routing/snapshot.ts';
import { SnapshotReplica } from '../../core/routing/snapshot-replica.ts';
import { ToldModels } from './told-models.ts';

const routing: RoutingSettings = usualSettings;

function models(...ids: string[]): Target['models'] {
  return ids.map((id) => ({
    id,
    name: id,
    contextLength: 4096,
    supportsVision: false,
    supportsTools: false,
    supportsJsonMode: false,
    maxOutputTokens: undefined,
  }));
}

function target(id: string, facts: Partial<Target> = {}): Target {
  return {
    id: id as BackendId,
    name: id,
    url: `http://${id}`,
    backendType: 'vllm',
    status: 'unknown',
    statusReason: undefined,
    approved: true,
    priority: 50,
    zone: 'restricted',
    tier: 1,
    slot: 0,
    generation: 1,
    models: [],
    closures: [],
    apiKeyEnv: undefined,
    simulated: false,
    loadedModels: undefined,
    ...facts,
  };
}

test('a list of models goes out once, again when it is another one or the backend is new', () => {
  const told = new ToldModels();
  const list = models('a', 'b');
  const goesOut = (version: number, one: Target, remove: readonly string[] = []) => {
    const { upsert } = told.shortened({ version, upsert: [one], remove });
    return upsert[0]?.models?.map(({ id }) => id);
  };
  assert.deepEqual(goesOut(1, target('x', { models: list })), ['a', 'b']);
  assert.equal(goesOut(2, target('x', { models: list, status: 'healthy' })), undefined);
  assert.deepEqual(goesOut(3, target('x', { models: models('c') })), ['c']);
  assert.deepEqual(goesOut(4, target('x', { models: list }), ['x']), ['a', 'b']);
  assert.deepEqual(goesOut(5, target('y', { models: list })), ['a', 'b']);
});

test('a copy that hears it shortened is one that hears it whole; other members go along', () => {
  const told = new ToldModels();
  const [short, whole] = [new SnapshotReplica(routing), new SnapshotReplica(routing)];
  const list = models('a', 'b');
  const changes = [
    { upsert: [target('x', { models: list }), target('y', { models: list })], remove: [] },
    { upsert: [target('x', { models: list, status: 'healthy', priority: 3 })], remove: ['y'] },
    { upsert: [target('y', { models: models('c') })], remove: [] },
  ];
  for (const [i, change] of changes.entries()) {
    const delta = { version: i + 1, ...change, snapshotDigest: `d${i}` };
    const out = told.shortened(delta);
    assert.equal(out.snapshotDigest, `d${i}`);
    short.apply(structuredClone(out));
    whole.apply(structuredClone(delta));
    assert.deepEqual(short.snapshot.targets, whole.snapshot.targets);
    assert.deepEqual([...short.snapshot.byModel], [...whole.snapshot.byModel]);
  }
});
