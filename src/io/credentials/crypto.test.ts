// Goal: the port computes what the standards say. Method: published vectors, and for passwords a
// second computation from nothing but the stored text.

import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { test } from 'node:test';
import type { CryptoPort } from '../../core/security/crypto-port.ts';
import { nodeCrypto } from './crypto.ts';

const port: CryptoPort = nodeCrypto;

test('SHA-256 gives the vectors of FIPS 180-4', () => {
  const vectors = [
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ] as const;
  for (const [text, hex] of vectors) assert.equal(port.sha256Hex(text), hex);
});

test('HMAC-SHA-256 gives the second vector of RFC 4231', () => {
  const hex = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
  assert.equal(port.hmacSha256Hex('Jefe', 'what do ya want for nothing?'), hex);
});

test('a stored password says how it was made, and any argon2id can verify it', () => {
  const stored = port.passwordHash('correct horse', 'x');
  const shape = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
  const [, nonce = '', tag = ''] = shape.exec(stored) ?? [];
  const again = argon2Sync('argon2id', {
    message: 'correct horse',
    nonce: Buffer.from(nonce, 'base64'),
    memory: 19_456,
    passes: 2,
    parallelism: 1,
    tagLength: 32,
  });
  assert.deepEqual(again, Buffer.from(tag, 'base64'));
});
