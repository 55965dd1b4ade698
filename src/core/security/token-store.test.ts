// Goal: a token is good in [issued, issued + ttl) and nowhere else, and its text is kept nowhere (A.12,
// E.2 row 5, rule SO8). Method: rows; then random stores asked at random instants.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import type { CryptoPort } from './crypto-port.ts';
import { isTokenLive } from './rules.ts';
import { TokenStore } from './token-store.ts';

function storeWith(id: string, token: string, issuedAt = 1000, ttlSeconds = 100): TokenStore {
  const store = new TokenStore(nodeCrypto);
  assert.ok(store.store(id, token, issuedAt, ttlSeconds).ok);
  return store;
}

test('E.2 row 5: an unknown, a wrong, an expired and a revoked token are refused', () => {
  const store = storeWith('t-1', 'secret');
  assert.ok(store.validate('t-1', 'secret', 1050));
  assert.ok(!store.validate('t-2', 'secret', 1050), 'unknown id');
  for (const guess of ['', 'secre', 'secret ', 'SECRET']) {
    assert.ok(!store.validate('t-1', guess, 1050), `wrong token ${guess}`);
  }
  assert.ok(!store.validate('t-1', 'secret', 1100), 'at exactly issued + ttl');
  assert.equal(store.revoke('t-1'), true);
  assert.ok(!store.validate('t-1', 'secret', 1050), 'revoked');
  assert.equal(store.revoke('t-1'), false, 'no longer there');
});

test('a token is valid from its issue to just before its end, and cleaned up at the end', () => {
  for (const [now, valid, removed] of [
    [999, false, 0],
    [1000, true, 0],
    [1099, true, 0],
    [1100, false, 1],
    [1101, false, 1],
    [Number.NaN, false, 0],
  ] as const) {
    const store = storeWith('t-1', 'secret');
    assert.equal(store.validate('t-1', 'secret', now), valid, `valid at ${now}`);
    assert.equal(store.cleanup(now), removed, `removed at ${now}`);
    assert.equal(store.count, 1 - removed);
  }
});

test('storing again puts the new token in the place of the old one', () => {
  const store = storeWith('t-1', 'old');
  assert.ok(store.store('t-1', 'new', 1050, 100).ok);
  assert.equal(store.count, 1);
  assert.ok(!store.validate('t-1', 'old', 1060));
  assert.ok(store.validate('t-1', 'new', 1149));
});

test('a refused token names what is wrong, never its text, and changes nothing', () => {
  const store = storeWith('t-1', 'secret');
  const rows = [
    ['', 'x', 0, 1, 'id'],
    ['t-1', '', 0, 1, 'token'],
    ['t-1', ' \t', 0, 1, 'token'],
    ['t-1', 'other-secret', Number.NaN, 1, 'issuedAt'],
    ['t-1', 'other-secret', -1, 1, 'issuedAt'],
    ['t-1', 'other-secret', 0, 1.5, 'ttlSeconds'],
    ['t-1', 'other-secret', 0, Number.POSITIVE_INFINITY, 'ttlSeconds'],
  ] as const;
  for (const [id, token, issuedAt, ttlSeconds, field] of rows) {
    const refused = store.store(id, token, issuedAt, ttlSeconds);
    assert.ok(!refused.ok, field);
    assert.equal(refused.error.code, 'invalid_token');
    assert.deepEqual(
      refused.error.details?.map((violation) => violation.field),
      [field],
    );
    assert.ok(!refused.error.message.includes('other-secret'));
  }
  assert.equal(store.count, 1);
  assert.ok(store.validate('t-1', 'secret', 1050));
});

test('only digests are compared, and an unknown id costs one like a known one', () => {
  const digested: string[] = [];
  const counting: CryptoPort = {
    ...nodeCrypto,
    sha256Hex: (text) => {
      digested.push(text);
      return nodeCrypto.sha256Hex(text);
    },
  };
  const store = new TokenStore(counting);
  store.store('t-1', 'secret', 0, 10);
  for (const id of ['t-1', 't-2']) {
    digested.length = 0;
    store.validate(id, 'guess', 1);
    assert.deepEqual(digested, ['guess'], id);
  }
  assert.ok(!store.validate('t-2', 'no token has this text', 1), 'not even the dummy fits');
});

const token = fc.record({ issuedAt: fc.nat(20), ttlSeconds: fc.nat(10) });

holds(
  'SO8: validation, cleanup and the rule of life agree at every instant',
  fc.property(fc.array(token, { maxLength: 5 }), fc.nat(35), fc.nat(10), (tokens, now, later) => {
    const store = new TokenStore(nodeCrypto);
    const valid = (at: number) => tokens.map((_, i) => store.validate(`t-${i}`, `secret-${i}`, at));
    for (const [i, { issuedAt, ttlSeconds }] of tokens.entries()) {
      store.store(`t-${i}`, `secret-${i}`, issuedAt, ttlSeconds);
    }
    const before = valid(now);
    const beforeLater = valid(now + later);
    assert.deepEqual(
      before,
      tokens.map((one) => isTokenLive(one.issuedAt, one.ttlSeconds, now)),
    );
    const removed = store.cleanup(now);
    assert.deepEqual(valid(now), before, 'what is valid is never cleaned up');
    assert.deepEqual(valid(now + later), beforeLater, 'nor what will be');
    const over = tokens.filter((one) => now >= one.issuedAt + one.ttlSeconds).length;
    assert.equal(removed, over, 'and all that is over is');
    assert.equal(store.count, tokens.length - over);
    assert.equal(store.cleanup(now), 0);
  }),
);
