// Goal: a key hears of its own models only, and a forbidden model looks like one that nobody has.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { BackendId } from '../../base/brand.ts';
import { modelFrom } from '../../core/backends/heuristics.ts';
import { buildSnapshot, type Target, usualSettings } from '../../core/routing/snapshot.ts';
import type { KeyRecord } from '../../io/credentials/key-table.ts';
import { modelBody, modelListBody, modelNotFound, usableModels } from './model-list.ts';

function target(name: string, slot: number, models: readonly string[], approved = true): Target {
  return {
    id: name as BackendId,
    name,
    url: `http://${name}`,
    backendType: 'vllm',
    status: 'healthy',
    statusReason: undefined,
    approved,
    priority: 0,
    zone: 'restricted',
    tier: 1,
    slot,
    generation: 1,
    models: models.map((id) => modelFrom(id, { contextLength: 4096 })),
    closures: [],
    apiKeyEnv: undefined,
    simulated: false,
    loadedModels: undefined,
  };
}

const snapshot = buildSnapshot(
  1,
  [
    target('b', 0, ['gpt-large', 'llama:8b']),
    target('a', 1, ['llama:8b']),
    target('ill', 2, ['gpt-ill']),
    target('pending', 3, ['gpt-pending'], false),
  ],
  usualSettings,
);

function key(...models: string[]): KeyRecord {
  return {
    keyId: 'key_a',
    groupName: 'g',
    owner: undefined,
    permissions: [],
    models,
    secretHash: '',
    issuedAt: 0,
    expiresAt: undefined,
  };
}

const query = (of: KeyRecord) => ({
  snapshot,
  key: of,
  isHealthy: (slot: number) => slot !== 2,
  created: 7,
});

type Listed = { readonly data: readonly { readonly id: string; readonly owned_by: string }[] };

const listed = (of: KeyRecord, distinct = false): string[] =>
  (JSON.parse(modelListBody(query(of), distinct)) as Listed).data.map(
    (entry) => `${entry.id} of ${entry.owned_by}`,
  );

it('the list is by id, then owner, of healthy and approved backends only', () => {
  assert.deepEqual(listed(key()), ['gpt-large of b', 'llama:8b of a', 'llama:8b of b']);
  assert.deepEqual(listed(key(), true), ['gpt-large of b', 'llama:8b of a']);
  assert.deepEqual(listed(key('llama*')), ['llama:8b of a', 'llama:8b of b']);
  assert.deepEqual(listed(key('none')), []);
});

it('one model is found by its exact id and by nobody who may not use it', () => {
  assert.match(modelBody(query(key()), 'gpt-large') ?? '', /"owned_by":"b"/);
  for (const [of, id] of [
    [key(), 'GPT-large'],
    [key(), 'gpt-ill'],
    [key(), 'gpt-pending'],
    [key('llama*'), 'gpt-large'],
  ] as const) {
    assert.equal(modelBody(query(of), id), undefined);
  }
});

it('a refusal names what the key may use, whatever its health, and nothing unapproved', () => {
  assert.deepEqual(usableModels(snapshot, key(), 50), ['gpt-ill', 'gpt-large', 'llama:8b']);
  assert.deepEqual(usableModels(snapshot, key(), 2), ['gpt-ill', 'gpt-large']);
  const words = (model: string) => modelNotFound(snapshot, key('llama*'), model);
  assert.equal(words('gpt-large').message, 'No model “gpt-large”. This key can use: llama:8b.');
  assert.deepEqual({ ...words('gpt-large'), message: '' }, { ...words('gpt-other'), message: '' });
  assert.match(modelNotFound(snapshot, key('none'), 'x').message, /can use no model yet\.$/);
});
