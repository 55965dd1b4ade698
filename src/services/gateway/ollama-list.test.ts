// Goal: a client of Ollama's hears of the models of its key only, by names that it can ask for.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { model, target } from '../../core/routing/fleet.test-support.ts';
import { buildSnapshot, usualSettings } from '../../core/routing/snapshot.ts';
import type { KeyRecord } from '../../io/credentials/key-table.ts';
import { ollamaName, runningBody, showBody, tagsBody, versionBody } from './ollama-list.ts';

const snapshot = buildSnapshot(
  1,
  [
    target('a', {
      slot: 0,
      models: [model('llama3:latest', { contextLength: 4096 }), model('qwen')],
    }),
    target('b', {
      slot: 1,
      models: [model('llama3:latest', { supportsVision: false, contextLength: 8192 })],
    }),
    target('lazy', {
      slot: 2,
      backendType: 'ollama',
      models: [model('cold'), model('warm')],
      loadedModels: ['warm'],
    }),
    target('ill', { slot: 3, models: [model('gone')] }),
    target('new', { slot: 4, models: [model('pending')], approved: false }),
  ],
  { ...usualSettings, aliases: { gpt: 'qwen' } },
);

function query(...models: string[]) {
  const key: KeyRecord = {
    keyId: 'key_a',
    groupName: 'g',
    owner: undefined,
    permissions: [],
    models,
    secretHash: '',
    issuedAt: 0,
    expiresAt: undefined,
  };
  return { snapshot, key, isHealthy: (slot: number) => slot !== 3, created: 1_780_000_000 };
}

function names(body: string): string[] {
  return JSON.parse(body).models.map((entry: { readonly name: string }) => entry.name);
}

describe('lists', () => {
  it('have each model of the key once, from healthy backends that somebody approved', () => {
    assert.deepEqual(names(tagsBody(query())), ['cold', 'llama3:latest', 'qwen', 'warm']);
    assert.deepEqual(names(tagsBody(query('q*'))), ['qwen']);
  });

  it('of what runs have no model that an engine would first load', () => {
    assert.deepEqual(names(runningBody(query())), ['llama3:latest', 'qwen', 'warm']);
  });

  it('tell the version without the name of the program', () => {
    assert.equal(versionBody('tensorforge/1.2.3'), '{"version":"1.2.3"}');
  });
});

describe('the facts of a model', () => {
  const show = (asked: unknown, of = query()) => showBody(of, Buffer.from(JSON.stringify(asked)));

  it('are the most that its backends offer, by any of its names', () => {
    for (const asked of [{ model: 'llama3' }, { name: 'llama3:latest' }]) {
      const shown = show(asked);
      assert.ok(shown.ok);
      const { capabilities, model_info } = JSON.parse(shown.value);
      assert.deepEqual(capabilities, ['completion', 'tools', 'vision']);
      assert.equal(model_info['any.context_length'], 8192);
    }
    assert.ok(show({ model: 'gpt' }).ok);
  });

  it('are refused for what is unknown, forbidden, ill or no name', () => {
    const code = (asked: unknown, of = query()): string => {
      const shown = show(asked, of);
      return shown.ok ? 'shown' : shown.error.code;
    };
    assert.equal(code({ model: 'none' }), 'model_not_found');
    assert.equal(code({ model: 'gone' }), 'model_not_found');
    assert.equal(code({ model: 'qwen' }, query('llama*')), 'model_not_found');
    assert.equal(code({ model: 7 }), 'invalid_request');
    assert.equal(code([]), 'invalid_json');
  });
});

it('a name goes with and without :latest, and an exact one wins', () => {
  assert.equal(ollamaName(snapshot, 'llama3'), 'llama3:latest');
  assert.equal(ollamaName(snapshot, 'qwen:latest'), 'qwen');
  assert.equal(ollamaName(snapshot, 'gpt:latest'), 'gpt');
  assert.equal(ollamaName(snapshot, 'qwen'), 'qwen');
  assert.equal(ollamaName(snapshot, 'none'), 'none');
});
