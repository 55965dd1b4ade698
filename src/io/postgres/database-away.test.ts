// Goal: a database that cannot be reached is told from a statement or a file that is at fault.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Secret } from '../../base/secret.ts';
import { connect } from './connection.ts';
import { databaseAwayWords } from './database-away.ts';

async function failureOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('it went well');
}

const role = { user: 'nobody', password: new Secret('none'), database: 'none' };
const options = { maxConnections: 1, statementTimeoutMs: 0 };

test('no socket and nobody listening are the database being away', async () => {
  const absent = connect({ kind: 'socket', path: '/nonexistent/.s.PGSQL.1', ...role }, options);
  assert.match(databaseAwayWords(await failureOf(absent`select 1`)) ?? '', /ENOENT/);
  await absent.end({ timeout: 0 });

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const tcp = {
    kind: 'tcp',
    host: '127.0.0.1',
    port: address.port,
    tls: false,
    ...role,
  } as const;
  await new Promise((resolve) => server.close(resolve));
  const refused = connect(tcp, options);
  assert.match(databaseAwayWords(await failureOf(refused`select 1`)) ?? '', /ECONNREFUSED/);
  await refused.end({ timeout: 0 });
});

test('server states count by their SQLSTATE; faults of statements and of files do not', async () => {
  const withCode = (code: string) => Object.assign(new Error('from the server'), { code });
  for (const code of [
    'CONNECTION_CLOSED',
    'ECONNRESET',
    '57P01',
    '57P03',
    '08006',
    '53300',
    '57014',
  ]) {
    assert.match(databaseAwayWords(withCode(code)) ?? '', new RegExp(code));
  }
  for (const code of ['23505', '42601', '22P02']) {
    assert.equal(databaseAwayWords(withCode(code)), undefined);
  }
  const noFile = await failureOf(readFile('/nonexistent/file'));
  assert.equal(databaseAwayWords(noFile), undefined);
  assert.equal(databaseAwayWords('a text'), undefined);
});
