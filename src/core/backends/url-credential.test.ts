// Goal: ruling R6 and case 303: no variable of the process is posted where it does not belong.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { permittedKeyEnv } from './url-credential.ts';

test('a variable of ours may go anywhere', () => {
  const name = 'TENSORFORGE_BACKEND_KEY_BOX';
  assert.deepEqual(permittedKeyEnv(name, 'http://10.0.0.1:8000', 'manual'), {
    ok: true,
    value: name,
  });
  assert.ok(!permittedKeyEnv('TENSORFORGE_BACKEND_KEY_', 'http://box', 'manual').ok);
  assert.ok(!permittedKeyEnv('TENSORFORGE_BACKEND_KEY_a=b', 'http://box', 'manual').ok);
});

test('303 any other variable, and a provider’s variable at another host, are refused', () => {
  for (const name of [
    'DATABASE_URL',
    'PATH',
    '',
    'TENSORFORGE_ADMIN',
    'openai_api_key',
    '__proto__',
  ]) {
    const result = permittedKeyEnv(name, 'https://api.openai.com', 'static');
    assert.ok(!result.ok, name);
    assert.equal(result.error.code, 'invalid_request');
    assert.equal(result.error.param, 'api_key_env');
  }
  assert.ok(permittedKeyEnv('OPENAI_API_KEY', 'https://api.openai.com', 'manual').ok);
  for (const url of [
    'https://evil.example',
    'http://api.openai.com',
    'https://api.openai.com.evil',
    'https://api.openai.com:8443',
  ]) {
    assert.ok(!permittedKeyEnv('OPENAI_API_KEY', url, 'manual').ok, url);
  }
  assert.ok(permittedKeyEnv('OPENAI_API_KEY', 'https://proxy.lan', 'static').ok);
});
