// Whose address counts: the peer's, or what a trusted proxy says, and never a client's own word.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientAddresses } from './client-address.ts';

const forwarded = (...values: string[]): string[] =>
  values.flatMap((value) => ['X-Forwarded-For', value]);

test('a forwarded header from a peer that nobody trusts is not read', () => {
  const addresses = new ClientAddresses({ trustedProxies: [], behindTlsProxy: false });
  assert.equal(addresses.of('127.0.0.1', forwarded('8.8.8.8')), '127.0.0.1');
  assert.equal(addresses.of('::ffff:10.0.0.9', forwarded('8.8.8.8')), '10.0.0.9');
  const others = new ClientAddresses({ trustedProxies: ['10.1.0.0/16'], behindTlsProxy: false });
  assert.equal(others.of('10.2.0.1', forwarded('8.8.8.8')), '10.2.0.1');
});

test('the rightmost hop that is not trusted is the client', () => {
  const addresses = new ClientAddresses({
    trustedProxies: ['10.0.0.0/8', '2001:db8::1'],
    behindTlsProxy: false,
  });
  assert.equal(addresses.of('10.0.0.1', forwarded('6.6.6.6, 8.8.8.8, 10.0.0.2')), '8.8.8.8');
  assert.equal(addresses.of('10.0.0.1', forwarded('6.6.6.6', '8.8.8.8')), '8.8.8.8');
  assert.equal(addresses.of('2001:db8::1', forwarded('2001:db8::9')), '2001:db8::9');
});

test('a trusted proxy that names nobody, or nonsense, leaves the client unknown', () => {
  const addresses = new ClientAddresses({ trustedProxies: ['10.0.0.1'], behindTlsProxy: false });
  assert.equal(addresses.of('10.0.0.1', []), '0.0.0.0');
  assert.equal(addresses.of('10.0.0.1', forwarded('8.8.8.8, unknown')), '0.0.0.0');
  assert.equal(addresses.of('10.0.0.1', forwarded('10.0.0.1')), '0.0.0.0');
});

test('behind a TLS proxy a loopback peer is the proxy and never the client', () => {
  const addresses = new ClientAddresses({ trustedProxies: [], behindTlsProxy: true });
  assert.equal(addresses.of('127.0.0.1', []), '0.0.0.0');
  assert.equal(addresses.of('::1', forwarded('8.8.4.4')), '8.8.4.4');
  assert.equal(addresses.of('9.9.9.9', forwarded('8.8.4.4')), '9.9.9.9');
});
