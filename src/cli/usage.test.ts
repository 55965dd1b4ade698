// Goal: `usage` asks what it is asked, reads every page, and prints it for each reader.
// Method: the program in this process against a real HTTP server that speaks the schema.

import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { after, before, beforeEach, test } from 'node:test';
import {
  type UsageWire,
  usageDimensionSchema,
  usageSchema,
} from '../protocol/control/usage-schemas.ts';
import { runCli } from './testing/run-cli.ts';

const figures = {
  requests: 2,
  succeeded: 1,
  refused: 0,
  failed: 1,
  aborted: 0,
  prompt_tokens: 14,
  completion_tokens: 6,
  cached_tokens: 4,
  backend_seconds: 1.5,
  cost_usd: 0.0042 as number | null,
  unpriced_requests: 0,
};

const rows: UsageWire['usage'] = [
  { day: '2026-11-29T00:00:00.000Z', model: 'gpt,4', ...figures },
  { day: '2026-11-30T00:00:00.000Z', model: '', ...figures, cost_usd: null, unpriced_requests: 2 },
];

let asked: URLSearchParams[] = [];
let server: Server;
let url = '';

/** Gives one row at a time, whatever limit it is asked for. */
before(async () => {
  server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    asked.push(query);
    const offset = Number(query.get('offset'));
    const answer = usageSchema.parse({
      count: rows.length,
      from: '2026-11-01T00:00:00.000Z',
      to: '2026-12-01T00:00:00.000Z',
      usage: rows.slice(offset, offset + 1),
      total: { ...figures, requests: 4, unpriced_requests: 2 },
      prices: { dated: '2024-02-01', built_in: true },
      budget: null,
    });
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  url = `http://127.0.0.1:${address.port}`;
});
after(() => server.close());
beforeEach(() => {
  asked = [];
});

function cli(...args: readonly string[]) {
  const env = {
    TENSORFORGE_URL: url,
    TENSORFORGE_API_KEY: 'tfk_fixture_key_of_the_test',
    TENSORFORGE_DATA_DIR: tmpdir(),
  };
  return runCli(['usage', ...args], { cwd: tmpdir(), env });
}

test('filters and dimensions reach the server, and all pages are read', async () => {
  const { code, out, err } = await cli('--by', 'Day, model', '--group', 'red', '--csv');
  assert.equal(code, 0, err);
  assert.deepEqual(
    asked.map((query) => [query.get('by'), query.get('group'), query.get('offset')]),
    [
      ['day,model', 'red', '0'],
      ['day,model', 'red', '1'],
    ],
  );
  assert.deepEqual(out.trim().split('\n'), [
    'day,model,requests,succeeded,refused,failed,aborted,prompt_tokens,cached_tokens,completion_tokens,cost_usd,unpriced_requests',
    '2026-11-29T00:00:00.000Z,"gpt,4",2,1,0,1,0,14,4,6,0.0042,0',
    '2026-11-30T00:00:00.000Z,,2,1,0,1,0,14,4,6,,2',
  ]);
});

test('--json prints one answer with the rows of all pages, and a pipe has units in its header', async () => {
  const [json, pipe] = [await cli('--json', '--by', 'day,model'), await cli('--by', 'model')];
  assert.deepEqual(usageSchema.parse(JSON.parse(json.out)).usage, rows);
  const [head, first] = pipe.out.split('\n');
  assert.equal(head?.split('\t')[0], 'model');
  assert.equal(first?.split('\t')[0], 'gpt,4');
  assert.ok(head?.includes('cost_usd'));
});

test('a dimension that is none is a usage failure that names those there are', async () => {
  const { code, err } = await cli('--by', 'colour');
  assert.equal(code, 2);
  assert.match(err, /--by colour: no such dimension/);
  for (const dimension of usageDimensionSchema.options) assert.ok(err.includes(dimension), err);
});
