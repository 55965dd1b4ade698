// Goal: DATABASE_URL is read strictly, verifies TLS off this machine, and never shows its password.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../base/secret.ts';
import { describeAddress, parseDatabaseUrl } from './database-url.ts';

const parse = (text: string) => parseDatabaseUrl(new Secret(text));

describe('DATABASE_URL', () => {
  test('gives its parts, percent-decoded', () => {
    const address = parse('postgres://al%40ice:p%2Fw@db.example:6000/forge%20one?sslmode=disable');
    assert.equal(address.user, 'al@ice');
    assert.equal(address.password.reveal(), 'p/w');
    assert.equal(address.database, 'forge one');
    assert.equal(describeAddress(address), 'db.example:6000/forge one');
    assert.equal(inspect(address).includes('p/w'), false);
  });

  test('verifies TLS by default off this machine, and asks for none on it', () => {
    const remote = parse('postgresql://u:p@db.example/forge');
    assert.deepEqual(remote.kind === 'tcp' && remote.tls, { rejectUnauthorized: true });
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      const local = parse(`postgresql://u:p@${host}/forge`);
      assert.equal(local.kind === 'tcp' && local.tls, false);
    }
    const encrypted = parse('postgresql://u:p@db.example/forge?sslmode=require');
    assert.deepEqual(encrypted.kind === 'tcp' && encrypted.tls, { rejectUnauthorized: false });
  });

  test('may name a socket directory', () => {
    const address = parse('postgresql://u:p@localhost:5433/forge?host=/run/postgresql');
    assert.equal(address.kind === 'socket' && address.path, '/run/postgresql/.s.PGSQL.5433');
  });

  for (const [what, text] of [
    ['no URL', 'geheim'],
    ['another scheme', 'mysql://u:geheim@h/d'],
    ['no database', 'postgresql://u:geheim@h'],
    ['no user', 'postgresql://h/d'],
    ['a weak sslmode', 'postgresql://u:geheim@h/d?sslmode=prefer'],
    ['an unknown parameter', 'postgresql://u:geheim@h/d?options=-cfsync%3Doff'],
    ['a bad escape', 'postgresql://u:geheim%ZZ@h/d'],
    ['a certificate that is not there', 'postgresql://u:geheim@h/d?sslrootcert=/nowhere'],
  ] as const) {
    test(`with ${what} is refused without being repeated`, () => {
      assert.throws(
        () => parse(text),
        (error: unknown) => {
          assert.ok(error instanceof Error && 'code' in error && error.code === 'config_invalid');
          assert.match(error.message, /^DATABASE_URL .*its form is postgresql:/);
          assert.equal(error.message.includes('geheim'), false);
          return true;
        },
      );
    });
  }
});
