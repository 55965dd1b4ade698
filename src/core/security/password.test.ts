// Goal: a password is stored salted and slow (A.12), and what is sensitive is shown by its end only.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { maskSensitive } from '../../base/secret.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { hashPassword } from './password.ts';

test('the hash depends on password and salt, is the same for the same, and shows neither', () => {
  const stored = hashPassword('correct horse', 'salt-one', nodeCrypto);
  assert.equal(hashPassword('correct horse', 'salt-one', nodeCrypto), stored);
  assert.notEqual(hashPassword('correct horse', 'salt-two', nodeCrypto), stored);
  assert.notEqual(hashPassword('Correct horse', 'salt-one', nodeCrypto), stored);
  assert.ok(!stored.includes('horse'));
});

test('moving a character from the password to the salt gives another hash', () => {
  const [one, other] = [hashPassword('bc', 'a', nodeCrypto), hashPassword('c', 'ab', nodeCrypto)];
  assert.notEqual(one, other);
});

test('an unsalted hash is a bug', () => {
  assert.throws(() => hashPassword('x', '', nodeCrypto), { name: 'AssertionFailed' });
});

holds(
  'a masked value has its length, and shows at most its last four characters',
  fc.property(fc.string(), (value) => {
    const masked = maskSensitive(value);
    assert.equal(masked.length, value.length);
    const shown = value.length <= 4 ? 0 : 4;
    const hidden = value.length - shown;
    assert.equal(masked.slice(0, hidden), '*'.repeat(hidden));
    assert.equal(masked.slice(hidden), value.slice(hidden));
  }),
);
