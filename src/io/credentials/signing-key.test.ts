// Goal: a signature proves who signed, and a key outlives its process without leaving its file. Method:
// keys in a folder of the test; every part of a signed statement changed in turn.

import assert from 'node:assert/strict';
import { chmodSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { temporaryFolder } from '../../../test/support/postgres.ts';
import { isSignedBy, openSigningKey } from './signing-key.ts';

const folder = temporaryFolder();
const path = join(folder, 'audit-signing.key');
after(() => rmSync(folder, { recursive: true, force: true }));

test('what was signed is proven by the public half, and nothing else is', () => {
  const key = openSigningKey(path);
  const other = openSigningKey(join(folder, 'other.key'));
  const signature = key.sign('seal 1');
  assert.equal(isSignedBy(key.publicKey, 'seal 1', signature), true);
  assert.equal(isSignedBy(key.publicKey, 'seal 2', signature), false);
  assert.equal(isSignedBy(other.publicKey, 'seal 1', signature), false);
  for (const half of ['', 'AAAA', 'not base64 at all', `${key.publicKey}AA`]) {
    assert.equal(isSignedBy(half, 'seal 1', signature), false, half);
  }
  for (const bad of ['', 'AAAA', signature.slice(1)]) {
    assert.equal(isSignedBy(key.publicKey, 'seal 1', bad), false, bad);
  }
});

test('the key stays, private, and what an earlier one signed is still proven', () => {
  const first = openSigningKey(path);
  assert.equal(openSigningKey(path).publicKey, first.publicKey);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.doesNotMatch(readFileSync(`${path}.public`, 'utf8'), /PRIVATE/);
  rmSync(path);
  const second = openSigningKey(path);
  assert.notEqual(second.publicKey, first.publicKey);
  assert.deepEqual([...second.trusted], [first.publicKey, second.publicKey]);
});

test('a key that others may read is refused', () => {
  chmodSync(path, 0o644);
  assert.throws(() => openSigningKey(path), { code: 'config_invalid' });
});
