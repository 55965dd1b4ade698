// Goal: which addresses are one listener, and when somebody found is forgotten. Method: tables.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isGraceOver,
  isOwnEndpoint,
  missed,
  sameEndpoint,
  seenNow,
  withdrawn,
} from './discovered.ts';

const own = new Set(['192.168.1.5', 'fd00::5', '127.0.0.1', '::1']);

test('every name of this machine with the same port is one backend', () => {
  const names = [
    'localhost',
    'x.localhost',
    '127.0.0.1',
    '127.0.0.9',
    '[::1]',
    '192.168.1.5',
    '[fd00::5]',
  ];
  for (const a of names) {
    for (const b of names) {
      assert.ok(sameEndpoint(`http://${a}:8000`, `http://${b}:8000`, own), `${a} ${b}`);
    }
  }
});

test('another port, path, scheme or machine is another backend', () => {
  const here = 'http://localhost:8000';
  const others = [
    'http://127.0.0.1:8001',
    'http://127.0.0.1',
    'http://127.0.0.1:8000/engine',
    'https://127.0.0.1:8000',
    'http://192.168.1.6:8000',
    'http://[fd00::6]:8000',
    'http://localhost.evil.test:8000',
    'http://127.0.0.1.evil.test:8000',
    'nonsense',
  ];
  for (const other of others) assert.ok(!sameEndpoint(here, other, own), other);
  assert.ok(sameEndpoint('http://gpu.lan:8000', 'http://gpu.lan:8000', own));
  assert.ok(!sameEndpoint('http://gpu.lan:8000', 'http://10.0.0.7:8000', own));
});

test('our own listeners are known by any address of this machine', () => {
  assert.ok(isOwnEndpoint('http://192.168.1.5:8120', [8120, 8121], own));
  assert.ok(isOwnEndpoint('http://localhost:8121', [8120, 8121], own));
  assert.ok(isOwnEndpoint('https://127.0.0.1', [443], own));
  assert.ok(!isOwnEndpoint('http://192.168.1.6:8120', [8120], own));
  assert.ok(!isOwnEndpoint('http://192.168.1.5:8122', [8120], own));
  assert.ok(!isOwnEndpoint('nonsense', [8120], own));
});

test('one missed scan means nothing, two in a row mean gone, a goodbye does at once', () => {
  const once = missed(seenNow, 1000);
  assert.equal(once.kind, 'present');
  const gone = missed(once, 2000);
  assert.deepEqual(gone, { kind: 'gone', sinceMs: 2000 });
  assert.deepEqual(withdrawn(seenNow, 500), { kind: 'gone', sinceMs: 500 });
  assert.equal(missed(gone, 9000), gone, 'the grace does not begin anew');
  assert.equal(withdrawn(gone, 9000), gone);
});

test('the grace is over exactly then, and never for somebody who is there', () => {
  const gone = withdrawn(seenNow, 1000);
  assert.ok(!isGraceOver(gone, 60_999, 60_000));
  assert.ok(isGraceOver(gone, 61_000, 60_000));
  assert.ok(isGraceOver(gone, 1000, 0));
  assert.ok(!isGraceOver(seenNow, 1e9, 0));
});
