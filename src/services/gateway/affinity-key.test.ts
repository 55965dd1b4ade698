import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AffinityKeys } from './affinity-key.ts';

test('what belongs together has one key, whoever asks and whenever', () => {
  const key = new AffinityKeys('secret').keyOf('team', 'm', 'You are a helpful assistant.');
  assert.equal(new AffinityKeys('secret').keyOf('team', 'm', 'You are a helpful assistant.'), key);
  assert.ok(key !== undefined && key >= 0 && key <= 0xffff_ffff && Number.isInteger(key));
});

test('another group, model, text or installation has another key, and nothing has none', () => {
  const keys = new AffinityKeys('secret');
  const others = [
    keys.keyOf('team', 'm', 'text'),
    keys.keyOf('other', 'm', 'text'),
    keys.keyOf('team', 'n', 'text'),
    keys.keyOf('team', 'm', 'texts'),
    new AffinityKeys('another').keyOf('team', 'm', 'text'),
  ];
  assert.equal(new Set(others).size, others.length);
  assert.equal(keys.keyOf('team', 'm', ''), undefined);
});
