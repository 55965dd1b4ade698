// Goal: a signature holds for its own payload and key, and for nothing else (A.12, G.2 group 10).
// Method: rows; then random payloads and keys with one thing changed. The cryptography is the real one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { digest, signManifest, verifyManifest, verifySignature } from './signature.ts';

function signed(payload: string, key: string): string {
  const result = signManifest(payload, key, nodeCrypto);
  assert.ok(result.ok);
  return result.value;
}

test('a digest is 64 lower-case hexadecimal digits, the same for the same text', () => {
  for (const text of ['', 'a', 'deployment-1', 'é'.repeat(1000)]) {
    assert.match(digest(text, nodeCrypto), /^[0-9a-f]{64}$/);
    assert.equal(digest(text, nodeCrypto), digest(text, nodeCrypto));
  }
  assert.notEqual(digest('a', nodeCrypto), digest('b', nodeCrypto));
});

test('a signature is accepted only as the whole digest of the payload, expected and given', () => {
  const right = digest('payload', nodeCrypto);
  const other = digest('other', nodeCrypto);
  const rows = [
    ['right', right, right, true],
    ['shortened at its end', right.slice(0, -1), right, false],
    ['shortened at its begin', right.slice(1), right, false],
    ['both shortened', right.slice(1), right.slice(1), false],
    ['of another payload', other, other, false],
    ['not the expected one', right, other, false],
    ['upper case', right.toUpperCase(), right, false],
    ['empty', '', '', false],
  ] as const;
  for (const [name, signature, expected, accepted] of rows) {
    assert.equal(verifySignature('payload', signature, expected, nodeCrypto), accepted, name);
  }
});

test('an empty or padded key is an error when signing, and verifies nothing', () => {
  const refused = signManifest('payload', '', nodeCrypto);
  assert.equal(refused.ok ? '' : refused.error.code, 'empty_key');
  assert.equal(verifyManifest('payload', '', '', nodeCrypto), false);
  const withEmptyKey = nodeCrypto.hmacSha256Hex('', 'payload');
  assert.equal(verifyManifest('payload', '', withEmptyKey, nodeCrypto), false);
  const padded = signManifest('payload', 'key\0', nodeCrypto);
  assert.equal(padded.ok ? '' : padded.error.code, 'padded_key', 'it would equal the key without');
  assert.equal(verifyManifest('payload', 'key\0', signed('payload', 'key'), nodeCrypto), false);
  assert.equal(verifyManifest('', 'key', signed('', 'key'), nodeCrypto), true, 'empty payload');
});

const key = fc.string({ minLength: 1 });

holds(
  'a manifest verifies with its own payload and key; another of either, or another length, does not',
  fc.property(
    fc.string(),
    key,
    fc.string(),
    key,
    fc.nat(63),
    (payload, mine, other, theirs, cut) => {
      const signature = signed(payload, mine);
      const verifies = (p: string, k: string, s: string) => verifyManifest(p, k, s, nodeCrypto);
      assert.ok(verifies(payload, mine, signature));
      assert.equal(verifies(other, mine, signature), other === payload);
      assert.equal(verifies(payload, theirs, signature), theirs === mine);
      assert.ok(!verifies(`${payload}.`, mine, signature));
      assert.ok(!verifies(payload, `${mine}.`, signature));
      assert.ok(!verifies(payload, mine, signature.slice(0, cut)));
      assert.ok(!verifies(payload, mine, signature.slice(cut + 1)));
      assert.ok(!verifies(payload, mine, `${signature}0`));
      const flipped = signature[cut] === '0' ? '1' : '0';
      assert.ok(
        !verifies(payload, mine, signature.slice(0, cut) + flipped + signature.slice(cut + 1)),
      );
    },
  ),
);
