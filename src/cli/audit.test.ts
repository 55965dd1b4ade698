// Goal: the audit commands say what the installation says, and an exported file is there whole or not
// at all. Method: the program against an HTTP server with answers of the test.

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { exportedTrail } from '../protocol/audit/exported-trail.test-support.ts';
import { auditEventsSchema } from '../protocol/control/platform-schemas.ts';
import { type AuditReportWire, auditReportSchema } from '../protocol/control/trust-schemas.ts';
import { type RunOptions, runCli } from './testing/run-cli.ts';

const { lines, anchors } = await exportedTrail();
const folder = mkdtempSync(join(tmpdir(), 'tensorforge-cli-'));
const file = (name: string): string => join(folder, name);
const asked: string[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
const server = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`);
  request.resume().on('end', () => answer(request, response));
});
let url = '';

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  url = `http://127.0.0.1:${address.port}`;
});
after(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

function options(): RunOptions {
  const env = { TENSORFORGE_URL: url, TENSORFORGE_API_KEY: 'tfk_x', TENSORFORGE_DATA_DIR: folder };
  return { cwd: folder, env };
}

function cli(...args: readonly string[]) {
  return runCli(args, options());
}

function answerJson(status: number, body: unknown): void {
  answer = (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
}

/** The export, broken off after so many lines where that is said. */
function answerExport(count = lines.length): void {
  answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.write(`${lines.slice(0, count).join('\n')}\n`, () => {
      if (count < lines.length) response.destroy();
      else response.end();
    });
  };
}

const report: AuditReportWire = auditReportSchema.parse({
  at: '2026-11-21T12:04:31.000Z',
  whole: true,
  words: '184220 records whole to 2026-11-21T12:04:31.000Z',
  streams: [{ stream: 'identity', sequence: 3, hash: 'aa' }],
  events: 3,
  digests: 1,
  segments: 0,
  records: 0,
  faults: [],
});
const fault = {
  where: 'events',
  name: 'identity',
  sequence: 42,
  offset: null,
  reason: 'wrong_hash',
  expected: 'aa',
  found: 'bb',
} as const;

test('the bare noun lists the newest events', async () => {
  const event = JSON.parse(lines[0] ?? '');
  answerJson(
    200,
    auditEventsSchema.parse({
      count: 1,
      events: [event],
      by_kind: {},
      more: false,
      complete: true,
      gaps: [],
    }),
  );
  const { code, out } = await cli('audit');
  assert.equal(code, 0);
  const [header, row] = out.split('\n').map((line) => line.split('\t'));
  assert.deepEqual(header?.slice(0, 4), ['occurred_at', 'stream', 'sequence', 'kind']);
  assert.deepEqual(row?.slice(1, 4), ['edge', '2', 'something_happened']);
  assert.equal(asked.at(-1), 'GET /api/v1/audit/events?newest=true&limit=50');
  await cli('audit', 'list', '--stream', 'edge', '--limit', '7');
  assert.equal(asked.at(-1), 'GET /api/v1/audit/events?newest=true&limit=7&stream=edge');
});

test('verify prints the words, and the places with exit 3', async () => {
  answerJson(200, report);
  const whole = await cli('audit', 'verify');
  assert.deepEqual([whole.code, whole.out], [0, `● ${report.words}\n`]);
  answerJson(200, { ...report, whole: false, words: 'broken', faults: [fault] });
  const broken = await cli('audit', 'verify');
  assert.equal(broken.code, 3);
  assert.equal(
    broken.out,
    '■ broken\nevents identity, sequence 42: wrong_hash\n  expected  aa\n  found     bb\n',
  );
  const json = await cli('audit', 'verify', '--json');
  assert.deepEqual([json.code, JSON.parse(json.out).faults], [3, [fault]]);
});

test('an export is a private file, and one that exists stays unless forced', async () => {
  answerExport();
  const { code, out } = await cli('audit', 'export', '--output', 'a.jsonl', '--stream', 'edge');
  assert.deepEqual([code, out], [0, `● 11 records whole, in ${file('a.jsonl')}\n`]);
  assert.equal(asked.at(-1), 'GET /api/v1/audit/export?stream=edge');
  assert.equal(readFileSync(file('a.jsonl'), 'utf8'), `${lines.join('\n')}\n`);
  assert.equal(statSync(file('a.jsonl')).mode & 0o777, 0o600);
  writeFileSync(file('a.jsonl'), 'mine');
  const again = await cli('audit', 'export', '--output', 'a.jsonl');
  assert.equal(again.code, 1);
  assert.match(again.err, /file_exists.*was not changed/);
  assert.equal(readFileSync(file('a.jsonl'), 'utf8'), 'mine');
  const forced = await cli('audit', 'export', '--output', 'a.jsonl', '--force');
  assert.equal(forced.code, 0);
  assert.notEqual(readFileSync(file('a.jsonl'), 'utf8'), 'mine');
  const piped = await runCli(['audit', 'export'], { ...options(), start: 'main' });
  assert.equal(piped.out, `${lines.join('\n')}\n`);
});

test('what broke off or was refused leaves no file', async () => {
  answerExport(5);
  const cut = await cli('audit', 'export', '--output', 'b.jsonl');
  assert.equal(cut.code, 69, cut.err);
  answer = (_, response) => response.end(`${lines.slice(0, 5).join('\n')}\n`);
  const short = await cli('audit', 'export', '--output', 'b.jsonl');
  assert.equal(short.code, 69);
  assert.match(short.err, /answer_incomplete/);
  answerJson(422, { msg: 'Nothing was exported.', code: 'audit_broken', details: [fault] });
  const refused = await cli('audit', 'export', '--output', 'b.jsonl');
  assert.equal(refused.code, 4);
  assert.match(refused.err, /audit_broken: Nothing was exported/);
  assert.equal(existsSync(file('b.jsonl')), false);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('check needs no installation, and tells the line at fault', async () => {
  writeFileSync(file('whole.jsonl'), `${lines.join('\n')}\n`);
  writeFileSync(file('anchors.jsonl'), anchors.map((one) => JSON.stringify(one)).join('\n'));
  const before = asked.length;
  const whole = await cli('audit', 'check', 'whole.jsonl', '--anchors', 'anchors.jsonl');
  assert.deepEqual([whole.code, whole.out], [0, '● 11 records of whole.jsonl whole\n']);
  assert.match(whole.err, /The anchors prove it/);
  const edited = lines.with(3, (lines[3] ?? '').replace('user:ana', 'user:eve'));
  writeFileSync(file('edited.jsonl'), `${edited.join('\n')}\n`);
  const bad = await cli('audit', 'check', 'edited.jsonl');
  assert.equal(bad.code, 3);
  assert.match(bad.out, /events edge, line 4, sequence 5: wrong_hash/);
  const json = await cli('audit', 'check', 'edited.jsonl', '--json');
  assert.deepEqual([json.code, JSON.parse(json.out).whole], [3, false]);
  const missing = await cli('audit', 'check', 'nowhere.jsonl');
  assert.equal(missing.code, 1);
  assert.match(missing.err, /file_unreadable/);
  assert.equal(asked.length, before);
});
