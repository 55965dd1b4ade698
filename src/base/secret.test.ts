// A secret shows itself in no form but one, and the last filter knows the shapes of credentials.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { maskSensitive, redactText, Secret } from './secret.ts';

test('a secret redacts itself as text, as JSON, inspected and inside other things', () => {
  const secret = new Secret('hunter2');
  const forms = [
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ deep: [secret] }),
  ];
  for (const form of forms) {
    assert.ok(!form.includes('hunter2'), form);
    assert.ok(form.includes('[redacted]'), form);
  }
  assert.equal(secret.reveal(), 'hunter2');
});

test('all but the last four characters are masked, and a short value whole', () => {
  assert.equal(maskSensitive('tok_9f3ab2'), '******3ab2');
  assert.equal(maskSensitive('abcd'), '****');
  assert.equal(maskSensitive(''), '');
});

test('whatever is shaped like a credential is masked in a text', () => {
  const key = 'tfk_abcdefghijkl_ZZZZZZZZZZ_abcdef';
  const cases = [
    `the key ${key} was used`,
    `authorization: Bearer ${key}`,
    'jwt eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln',
    'https://s3/x?X-Amz-Signature=deadbeef0011',
    'postgres://user:pass-word@host/db',
    '"webhook_secret":"abc123"',
  ];
  const secrets = [key, key, 'eyJzdWIiOiJhIn0', 'deadbeef0011', 'pass-word', 'abc123'];
  cases.forEach((text, i) => {
    const redacted = redactText(text);
    assert.ok(!redacted.includes(secrets[i] as string), redacted);
    assert.ok(redacted.includes('redacted'), redacted);
  });
  assert.equal(redactText('nothing to hide'), 'nothing to hide');
});
