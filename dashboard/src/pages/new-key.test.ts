// Goal: what the form accepts, the server accepts; every fault is told at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyCreateSchema } from '../../../src/protocol/control/schemas.ts';
import { checkNewKey } from './new-key.ts';

test('a good form becomes a body that the schema accepts', () => {
  const { key, faults } = checkNewKey({ name: ' ci ', models: 'chat-*, , embed', days: '90' });
  assert.deepEqual(faults, {});
  assert.deepEqual(key, { name: 'ci', models: ['chat-*', 'embed'], expiresInDays: 90 });
  const body = { name: key?.name, models: key?.models, expires_in_days: key?.expiresInDays };
  assert.equal(keyCreateSchema.safeParse(body).success, true);
});

test('all faults are told together', () => {
  const { key, faults } = checkNewKey({ name: ' ', models: 'm,'.repeat(101), days: '-1' });
  assert.equal(key, undefined);
  assert.deepEqual(Object.keys(faults).sort(), ['days', 'models', 'name']);
});

test('the limits of the form are those of the schema', () => {
  const good = { name: 'a', models: '', days: '0' };
  for (const days of ['1.5', '1e3', '', '36501', '0x10']) {
    assert.notEqual(checkNewKey({ ...good, days }).faults['days'], undefined, days);
  }
  assert.equal(checkNewKey({ ...good, days: '36500' }).key?.expiresInDays, 36_500);
  assert.notEqual(checkNewKey({ ...good, name: 'n'.repeat(129) }).faults['name'], undefined);
});
