// Goal: `breakers` lists what the server says, and `reset` names one breaker whatever is in the name of
// its model. Method: the program against a real HTTP server that answers by the schemas.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import {
  type BreakerWire,
  breakerListSchema,
  breakerSchema,
} from '../protocol/control/breaker-schemas.ts';
import { fixtureKey } from './testing/control-server.ts';
import { runCli } from './testing/run-cli.ts';

const open: BreakerWire = breakerSchema.parse({
  id: 'backend:box/model:org/m\u001b[2J',
  backend: 'box',
  model: 'org/m\u001b[2J',
  state: 'open',
  since: '2026-11-22T12:04:31.000Z',
  opened_at: '2026-11-22T12:04:31.000Z',
  failures: 0,
  successes: 0,
  probes_out: 0,
  last_failure: 'The backend failed: connection refused.',
  probe_at: '2026-11-22T12:05:01.000Z',
});
const listing = breakerListSchema.parse({
  count: 1,
  not_closed: 1,
  failures_to_open: 5,
  successes_to_close: 2,
  open_seconds: 30,
  breakers: [open],
});

const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`);
  const half = { ...open, state: 'half_open', probe_at: null };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(request.method === 'GET' ? listing : half));
});
const folder = mkdtempSync(join(tmpdir(), 'tensorforge-cli-breakers-'));
let url = '';

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  asked.length = 0;
});

function cli(args: readonly string[]) {
  const env = {
    TENSORFORGE_URL: url,
    TENSORFORGE_API_KEY: fixtureKey,
    TENSORFORGE_DATA_DIR: folder,
  };
  return runCli(args, { cwd: folder, env });
}

test('the list is a table with nothing of a terminal in it, --json is the answer as it is', async () => {
  const [pipe, json, quiet] = [
    await cli(['breakers']),
    await cli(['breakers', 'list', '--all', '--json']),
    await cli(['breakers', 'ls', '--quiet']),
  ];
  assert.equal(pipe.code, 0, pipe.err);
  const [names, values] = pipe.out.split('\n').map((line) => line.split('\t'));
  assert.deepEqual(names?.slice(0, 3), ['id', 'state', 'since']);
  assert.equal(values?.[0], 'backend:box/model:org/m\\u001b[2J');
  assert.equal(values?.[1], 'open');
  assert.deepEqual(JSON.parse(json.out), listing);
  assert.match(quiet.out, /^backend:box\/model:org/);
  assert.equal(asked[1], 'GET /api/v1/breakers?all=true');
});

test('a reset names the breaker in one segment of the path; a backend may be named alone', async () => {
  const one = await cli(['breakers', 'reset', 'backend:box/model:org/m 1']);
  assert.equal(one.code, 0, one.err);
  assert.match(one.out, /\thalf_open\t/);
  await cli(['breakers', 'reset', 'box']);
  assert.deepEqual(asked, [
    'POST /api/v1/breakers/backend%3Abox%2Fmodel%3Aorg%2Fm%201/reset',
    'POST /api/v1/breakers/backend%3Abox/reset',
  ]);
});

test('an unknown verb names the known ones', async () => {
  const { code, err } = await cli(['breakers', 'rest']);
  assert.equal(code, 2);
  assert.match(err, /did you mean reset\?/);
});
