// Every row of platform A.12 that needs no cryptography, with each edge that it names.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  attemptClassOf,
  attemptKey,
  hasPermissions,
  isAllowedOrigin,
  isMonotonic,
  isTokenExpired,
  isTokenLive,
  isTokenWellFormed,
  passwordStrength,
  rateLimitKey,
  sessionExpired,
  tokenNeedsRefresh,
} from './rules.ts';

it('an origin is allowed only as an exact member', () => {
  for (const name of ['', 'dispatch.', 'admin.']) {
    assert.ok(isAllowedOrigin(`https://${name}tensorforge.internal`));
  }
  const origin = 'https://tensorforge.internal';
  const near = [`${origin}.evil`, `${origin}:443`, `${origin}/`, origin.replace('https', 'http')];
  for (const other of [
    ...near,
    'https://xtensorforge.internal',
    'null',
    '',
    `${origin}, ${origin}`,
  ]) {
    assert.ok(!isAllowedOrigin(other));
  }
  assert.ok(isAllowedOrigin('http://localhost:3000', ['http://localhost:3000']));
  assert.ok(!isAllowedOrigin(origin, []));
});

it('E.2 row 4: a token is well formed unless it is empty or blank', () => {
  for (const token of ['a', 'ab', ' a ']) assert.ok(isTokenWellFormed(token), token);
  for (const blank of ['', ' ', '\t\n', '\u00a0']) assert.ok(!isTokenWellFormed(blank));
});

it('E.2 row 7: a password of 7, 8, 16 and 17 code points is weak, medium, medium and strong', () => {
  const strengths = [0, 7, 8, 16, 17].map((length) => passwordStrength('🔑'.repeat(length)));
  assert.deepEqual(strengths, ['weak', 'weak', 'medium', 'medium', 'strong']);
});

it('a rate limit key holds both parts', () => {
  assert.equal(rateLimitKey('10.0.0.1', '/v1/models'), 'ratelimit:10.0.0.1:/v1/models');
});

it('attempts are counted per IPv4 address and per IPv6 /64', () => {
  assert.equal(attemptKey('::ffff:10.0.0.1', '/v1'), 'ratelimit:10.0.0.1:data_plane');
  assert.equal(attemptKey('10.0.0.1', '/v1/models'), 'ratelimit:10.0.0.1:data_plane');
  assert.equal(attemptKey('2001:db8::1', '/v1'), attemptKey('2001:db8:0:0:ffff::2', '/v1'));
  assert.notEqual(attemptKey('2001:db8::1', '/v1'), attemptKey('2001:db8:0:1::1', '/v1'));
  assert.notEqual(attemptKey('2001:db8::1', '/v1'), attemptKey('2001:db8::1', '/api/v1/keys'));
});

it('attempts on the data plane, on the control API and at sign-in are counted apart', () => {
  const classes: readonly (readonly [string, string])[] = [
    ['/v1', 'data_plane'],
    ['/v1/models', 'data_plane'],
    ['/api/chat', 'data_plane'],
    ['/v1x', 'control'],
    ['/api/v1/keys', 'control'],
    ['/nothing', 'control'],
    ['/api/v1/session', 'sign_in'],
  ];
  for (const [path, expected] of classes) assert.equal(attemptClassOf(path), expected, path);
});

it('SO8: a token lives from its issue to just before its end, where a session still does', () => {
  const instants = [999, 1000, 1099, 1100, 1101, Number.NaN];
  assert.deepEqual(
    instants.map((now) => isTokenLive(1000, 100, now)),
    [false, true, true, false, false, false],
  );
  assert.deepEqual(
    instants.map((now) => isTokenExpired(1000, 100, now)),
    [false, false, false, true, true, false],
  );
  assert.ok(!isTokenLive(1000, 0, 1000), 'a life of no time has no instant');
});

it('a session still lives at the instant of its end', () => {
  assert.deepEqual(
    [1099, 1100, 1101].map((now) => sessionExpired(1000, 100, now)),
    [false, false, true],
  );
});

it('a token needs no refresh yet at the instant its window opens', () => {
  assert.deepEqual(
    [1079, 1080, 1081].map((now) => tokenNeedsRefresh(1000, now, 100, 20)),
    [false, false, true],
  );
});

it('all required permissions must be granted, and nothing required is granted', () => {
  const granted = new Set(['a', 'b']);
  assert.ok(hasPermissions([], new Set()));
  assert.ok(hasPermissions(['a', 'b'], granted));
  assert.ok(!hasPermissions(['a', 'c'], granted));
});

it('timestamps are monotonic when no adjacent pair falls', () => {
  for (const good of [[], [5], [1, 1, 2], [-2, -1, 0]]) assert.ok(isMonotonic(good));
  for (const bad of [
    [2, 1],
    [1, 3, 2],
    [1, 2, 0, 5],
  ]) {
    assert.ok(!isMonotonic(bad));
  }
});
