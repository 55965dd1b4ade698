// Goal: `limits` changes what it is given and keeps the rest, names what it does not understand, and
// prints what is left for a person and what is set for a program. Method: the program in this process
// against a real HTTP server that speaks the schemas.

import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { after, before, beforeEach, test } from 'node:test';
import {
  type LimitSetWire,
  type LimitWire,
  limitSchema,
  limitSetSchema,
} from '../protocol/control/limit-schemas.ts';
import { runCli } from './testing/run-cli.ts';

let stored: LimitSetWire | undefined;
let asked: string[] = [];
let server: Server;
let url = '';

function wire(set: LimitSetWire): LimitWire {
  return limitSchema.parse({
    scope: 'key',
    id: 'key_a',
    ...set,
    left: {
      requests: set.requests_per_minute,
      tokens: set.tokens_per_minute,
      concurrent_requests: null,
      month_budget_usd: set.month_budget_usd === null ? null : 1.5,
    },
    changed_at: '2026-11-01T00:00:00.000Z',
    changed_by: 'user:admin',
  });
}

before(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      if (request.method === 'PUT') stored = limitSetSchema.parse(JSON.parse(text));
      const isGone = request.method === 'DELETE';
      const isList = request.url === '/api/v1/limits';
      const rows = stored === undefined ? [] : [wire(stored)];
      response.statusCode = isGone ? 204 : stored === undefined && !isList ? 404 : 200;
      response.setHeader('content-type', 'application/json');
      if (isGone) response.end();
      else if (isList) response.end(JSON.stringify({ count: rows.length, limits: rows }));
      else response.end(JSON.stringify(rows[0] ?? { code: 'not_found', msg: 'none' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  url = `http://127.0.0.1:${address.port}`;
});
after(() => server.close());
beforeEach(() => {
  stored = undefined;
  asked = [];
});

function cli(...args: readonly string[]) {
  const env = {
    TENSORFORGE_URL: url,
    TENSORFORGE_API_KEY: 'tfk_fixture_key_of_the_test',
    TENSORFORGE_DATA_DIR: tmpdir(),
  };
  return runCli(['limits', ...args], { cwd: tmpdir(), env });
}

test('set keeps what it is not given, and none takes a limit away', async () => {
  const { code, err } = await cli('set', 'key', 'key_a', '--requests', '60', '--budget', '2.5');
  assert.equal(code, 0, err);
  await cli('set', 'key', 'key_a', '--tokens', '900', '--requests', 'none', '--model', 'a*');
  assert.deepEqual(stored, {
    requests_per_minute: null,
    tokens_per_minute: 900,
    concurrent_requests: null,
    month_budget_usd: 2.5,
    max_priority_class: null,
    models: ['a*'],
    zones: [],
  });
  await cli('set', 'key', 'key_a', '--model', 'all');
  assert.deepEqual(stored?.models, []);
});

test('a list tells a program what is set and what is left', async () => {
  await cli('set', 'key', 'key_a', '--requests', '60', '--budget', '2.5');
  const { out } = await cli();
  const [head = '', row = ''] = out.split('\n');
  const cells = Object.fromEntries(head.split('\t').map((name, i) => [name, row.split('\t')[i]]));
  assert.deepEqual(
    [cells['scope'], cells['id'], cells['requests_per_minute'], cells['month_budget_left_usd']],
    ['key', 'key_a', '60', '1.5'],
  );
});

test('the installation needs no id, and clear asks for what it is given', async () => {
  assert.equal((await cli('clear', 'installation')).code, 0);
  assert.equal((await cli('clear', 'group', 'a b')).code, 0);
  assert.deepEqual(asked, [
    'DELETE /api/v1/limits/installation/all',
    'DELETE /api/v1/limits/group/a%20b',
  ]);
});

test('what is no scope, no figure or nothing at all is a failure of usage', async () => {
  for (const args of [
    ['set', 'planet', 'x', '--requests', '1'],
    ['show', 'key'],
    ['set', 'key', 'key_a'],
    ['set', 'key', 'key_a', '--requests', 'many'],
  ]) {
    const { code } = await cli(...args);
    assert.equal(code, 2, args.join(' '));
  }
  assert.deepEqual(asked, []);
});
