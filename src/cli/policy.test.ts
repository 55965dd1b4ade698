// Goal: `policy` shows the server's own sentence to each reader, and pin and unpin send what was asked
// or refuse it before anything is sent. Method: the program against a real HTTP server that speaks the
// schemas.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { servingModeSchema } from '../protocol/control/trust-schemas.ts';
import { fixtureKey } from './testing/control-server.ts';
import { historyFixture, PolicyServer, policyFixture } from './testing/policy-server.ts';
import { runCli } from './testing/run-cli.ts';

const server = new PolicyServer();
const folder = mkdtempSync(join(tmpdir(), 'tensorforge-cli-policy-'));
let url = '';

before(async () => {
  url = await server.listen();
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  server.calls.length = 0;
  server.refusal = undefined;
});

function cli(args: readonly string[], key = fixtureKey) {
  const env = { TENSORFORGE_URL: url, TENSORFORGE_API_KEY: key, TENSORFORGE_DATA_DIR: folder };
  return runCli(args, { cwd: folder, env });
}

test('the bare noun shows, --json is the answer as it is, --quiet the mode', async () => {
  const [pipe, json, quiet, shown] = await Promise.all([
    cli(['policy']),
    cli(['policy', 'show', '--json']),
    cli(['policy', '--quiet']),
    cli(['policy', 'status', '--quiet']),
  ]);
  assert.equal(pipe.code, 0, pipe.err);
  const [names, values] = pipe.out.split('\n').map((line) => line.split('\t'));
  assert.deepEqual(names?.slice(0, 4), ['mode', 'ladder_mode', 'since', 'verdict_level']);
  assert.equal(values?.at(-1), policyFixture().verdict);
  assert.deepEqual(JSON.parse(json.out), policyFixture());
  assert.deepEqual([quiet.out, shown.out], ['watch\n', 'watch\n']);
});

test('the history is a table, newest first, and its limit is passed on', async () => {
  const [pipe, json, quiet] = await Promise.all([
    cli(['policy', 'history', '--limit', '7']),
    cli(['policy', 'history', '--json']),
    cli(['policy', 'history', '--quiet']),
  ]);
  assert.equal(pipe.code, 0, pipe.err);
  const lines = pipe.out.trimEnd().split('\n');
  assert.equal(lines.length, 3);
  assert.match(lines[1] ?? '', /^2\t.*\tmode_pinned\twatch\thalted\tuser:ana\tmove\\u001b\[2J\t$/);
  assert.match(lines[2] ?? '', /budget burns 7\.1x over 6 h$/);
  assert.deepEqual(JSON.parse(json.out), historyFixture);
  assert.equal(quiet.out, '2\n1\n');
  assert.ok(server.calls.some(({ query }) => query['limit'] === '7'));
});

test('pin sends mode, reason and seconds, and says how to undo it', async () => {
  const { code, out, err } = await cli([
    'policy',
    'pin',
    'restricted',
    '--for',
    '2h',
    '--reason',
    'move',
    '--quiet',
  ]);
  assert.deepEqual([code, out], [0, 'restricted\n'], err);
  const endless = await cli(['policy', 'pin', 'halted', '--reason', 'fire']);
  assert.match(endless.err, /undo: tensorforge policy unpin --reason/);
  assert.deepEqual(
    server.calls.map(({ method, path, body }) => [method, path, body]),
    [
      [
        'PUT',
        '/api/v1/policy/pin',
        { mode: 'restricted', reason: 'move', expires_in_seconds: 7200 },
      ],
      ['PUT', '/api/v1/policy/pin', { mode: 'halted', reason: 'fire', expires_in_seconds: null }],
    ],
  );
});

test('unpin sends its reason as a query', async () => {
  const { code, out, err } = await cli([
    'policy',
    'unpin',
    '--reason',
    'all good & well',
    '--json',
  ]);
  assert.equal(code, 0, err);
  assert.deepEqual(JSON.parse(out), policyFixture());
  assert.deepEqual(server.calls, [
    {
      method: 'DELETE',
      path: '/api/v1/policy/pin',
      query: { reason: 'all good & well' },
      body: undefined,
    },
  ]);
});

test('what cannot be meant is refused with exit 2, and nothing is sent', async () => {
  const wrong = await Promise.all([
    cli(['policy', 'pin', 'restricted']),
    cli(['policy', 'pin', 'restrict', '--reason', 'x']),
    cli(['policy', 'pin', 'watch', '--for', '59s', '--reason', 'x']),
    cli(['policy', 'pin', 'watch', '--for', '8d', '--reason', 'x']),
    cli(['policy', 'pin', 'watch', '--for', 'soon', '--reason', 'x']),
    cli(['policy', 'unpin']),
    cli(['policy', 'pni']),
  ]);
  assert.deepEqual(
    wrong.map(({ code }) => code),
    wrong.map(() => 2),
  );
  assert.match(wrong[1]?.err ?? '', /no mode "restrict".*\n.*did you mean restricted\?/);
  assert.match(wrong[2]?.err ?? '', /--for is "59s", but must be a time from 60s to 7d/);
  assert.match(wrong[6]?.err ?? '', /did you mean pin\?/);
  assert.deepEqual(server.calls, []);
});

test('a refusal of the server has the exit code of its kind', async () => {
  server.refusal = { status: 403, code: 'permission_denied' };
  assert.equal((await cli(['policy', 'unpin', '--reason', 'x'])).code, 77);
  server.refusal = { status: 503, code: 'retry' };
  assert.equal((await cli(['policy', 'pin', 'watch', '--reason', 'x'])).code, 69);
  assert.equal((await cli(['policy'], 'tfk_other')).code, 77);
});

test('the words for modes are those of the protocol', async () => {
  const { err } = await cli(['policy', 'pin', 'x', '--reason', 'x']);
  assert.match(err, new RegExp(`known: ${servingModeSchema.options.join(', ')}`));
});
