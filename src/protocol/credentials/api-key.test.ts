import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { formatApiKey, keyIdBytes, keySecretBytes, parseApiKey } from './api-key.ts';

const key = formatApiKey(new Uint8Array(12).fill(7), new Uint8Array(32).fill(9));
const characters = 'abcXYZ059_-.= \u00a0\n';

it('a formatted key has the documented form and reads back as its parts', () => {
  assert.match(key, /^tfk_[a-z2-7]{12}_[A-Za-z0-9_-]{43}_[a-z2-7]{6}$/);
  const parsed = parseApiKey(key);
  assert.equal(parsed?.keyId, `key_${key.slice(4, 16)}`);
  assert.equal(parsed?.secret, key.slice(17, 60));
  assert.equal(parsed?.text, key);
});

it('the form of a key is fixed, so keys in databases stay valid', () => {
  const secret = Buffer.from(
    '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    'hex',
  );
  const text = formatApiKey(Buffer.from('0123456789abcdef00112233', 'hex'), secret);
  assert.equal(text, 'tfk_bdfhjlnparct_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8_wei4kx');
});

it('every pair of random bytes gives a key that reads back', () => {
  const id = fc.uint8Array({ minLength: keyIdBytes, maxLength: keyIdBytes });
  const secret = fc.uint8Array({ minLength: keySecretBytes, maxLength: keySecretBytes });
  fc.assert(
    fc.property(id, secret, (idBytes, secretBytes) => {
      const text = formatApiKey(idBytes, secretBytes);
      const parsed = parseApiKey(text);
      assert.equal(parsed?.text, text);
      assert.deepEqual(Buffer.from(parsed?.secret ?? '', 'base64url'), Buffer.from(secretBytes));
    }),
    { seed: 20_260_104, numRuns: 2000 },
  );
});

it('case 118: a key that is one character short at either end is none', () => {
  assert.equal(parseApiKey(key.slice(1)), undefined);
  assert.equal(parseApiKey(key.slice(0, -1)), undefined);
  assert.equal(parseApiKey(`${key}a`), undefined);
  assert.equal(parseApiKey(`${key}\n`), undefined);
  assert.equal(parseApiKey(''), undefined);
});

it('case 119: changing the case of any letter spoils the key', () => {
  for (let at = 0; at < key.length; at += 1) {
    const letter = key[at] ?? '';
    const swapped = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
    if (swapped === letter) continue;
    assert.equal(parseApiKey(key.slice(0, at) + swapped + key.slice(at + 1)), undefined);
  }
});

it('changing any one character spoils the key', () => {
  for (let at = 0; at < key.length; at += 1) {
    for (const other of characters) {
      if (other === key[at]) continue;
      assert.equal(parseApiKey(key.slice(0, at) + other + key.slice(at + 1)), undefined);
    }
  }
});

it('case 125: SQL is no key', () => {
  assert.equal(parseApiKey("' OR '1'='1"), undefined);
});
