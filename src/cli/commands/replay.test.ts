// Goal: `replay` asks for what was meant, says first what matters, and ends with the exit code that a
// script can trust. Method: the command against a real HTTP server of canned reports, and with a
// folder handed to a stand-in of the action.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { type ReplayReportWire, replayReportSchema } from '../../protocol/control/trust-schemas.ts';
import type { Machine, ReplayFolderRequest } from '../actions.ts';
import type { Context } from '../context.ts';
import { CliFailure } from '../failure.ts';
import { replayLines } from '../output/replay-text.ts';
import { ControlServer, fixtureKey } from '../testing/control-server.ts';
import { type ReplayFlags, runReplay } from './replay.ts';

const server = new ControlServer();
const folder = mkdtempSync(join(tmpdir(), 'tensorforge-replay-'));
let url = '';

before(async () => {
  url = await server.listen();
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  server.overrides.clear();
  server.seen.length = 0;
});

const machine: Machine = {
  readLock: () => Promise.resolve(undefined),
  dataDirectoryProblem: () => Promise.resolve(undefined),
  checkDatabase: () => Promise.resolve(''),
};

function context(over: Partial<Context> = {}): {
  readonly context: Context;
  readonly lines: string[];
} {
  const lines: string[] = [];
  const own: Context = {
    json: false,
    quiet: false,
    color: false,
    accessible: false,
    isTerminal: false,
    columns: 100,
    env: { TENSORFORGE_API_KEY: fixtureKey },
    url,
    dataDirectory: folder,
    configFlag: undefined,
    out: (line) => lines.push(line),
    note: () => {},
    ...over,
  };
  return { context: own, lines };
}

function report(over: Partial<ReplayReportWire> = {}): ReplayReportWire {
  return replayReportSchema.parse({
    id: 'rep-1',
    state: 'done',
    words: '412 decisions replayed, 0 differ from what ran.',
    from: '2026-11-21T12:00:00.000Z',
    to: '2026-11-21T13:00:00.000Z',
    seconds: 1.4,
    decisions: 412,
    by_kind: { admitted: 206, routed: 206 },
    skipped: {},
    divergences: 0,
    first_divergence: null,
    gaps: [],
    faults: [],
    candidate: null,
    ...over,
  });
}

const diverged = report({
  words: '412 decisions replayed, 1 differs from what ran.',
  divergences: 1,
  first_divergence: {
    decision_id: 'req-7.1',
    at: '2026-11-21T12:04:31.000Z',
    segment: 't0/00000001.tfd',
    offset: 4096,
    sequence: 77,
    member: 'chosen',
    recorded: 'sim-a',
    again: 'sim-b',
  },
});

const candidate: NonNullable<ReplayReportWire['candidate']> = {
  digest: 'ab'.repeat(32),
  changed: 14,
  shifts: [
    { backend_id: 'sim-a', recorded: 120, candidate: 106 },
    { backend_id: 'sim-b', recorded: 86, candidate: 100 },
  ],
  diff: [
    {
      decision_id: 'req-7.1',
      at: '2026-11-21T12:04:31.000Z',
      model: 'chat',
      was: 'sim-a',
      would_be: 'sim-b',
      because: 'latency weight 40 -> 10: score of sim-a 71.0 -> 64.2, of sim-b 60.0 -> 66.0',
    },
  ],
  mode_moves: [],
  estimated: [
    {
      model: 'chat',
      tokens: '0-255',
      decisions: 200,
      uncongested: 180,
      refused: null,
      effective_sample_size: 160.4,
      recorded_first_byte_ms: 380,
      candidate_first_byte_ms: 352,
      low_ms: 340,
      high_ms: 364,
    },
    {
      model: 'embed',
      tokens: '0-255',
      decisions: 6,
      uncongested: 6,
      refused: 'no overlap: the candidate sends 50.0 % of this slice to sim-b',
      effective_sample_size: null,
      recorded_first_byte_ms: 12,
      candidate_first_byte_ms: null,
      low_ms: null,
      high_ms: null,
    },
  ],
  simulated: null,
  simulated_refused: '6 answered requests in the window, needs 100',
};

function answers(first: ReplayReportWire, last: ReplayReportWire = first): void {
  server.overrides.set('/api/v1/replays', { status: 202, body: first });
  server.overrides.set(`/api/v1/replays/${last.id}`, { status: 200, body: last });
}

const noFolder = () => Promise.reject(new Error('no folder was asked for'));

function run(flags: ReplayFlags, over: Partial<Context> = {}) {
  const own = context(over);
  return runReplay(own.context, machine, flags, noFolder).then((code) => ({ ...own, code }));
}

test('a replay that agrees ends with 0 and its verdict first', async () => {
  answers(report({ state: 'running', words: 'Running', decisions: 3 }), report());
  const { code, lines } = await run({});
  assert.equal(code, 0);
  assert.equal(lines[0], '● 412 decisions replayed, 0 differ from what ran.');
  assert.deepEqual(
    server.seen.map(({ method }) => method),
    ['POST', 'GET'],
  );
});

test('a divergence ends with 3, shows its record side by side, and nothing else as fact', async () => {
  answers({ ...diverged, candidate });
  const { code, lines } = await run({});
  assert.equal(code, 3);
  assert.match(lines[0] ?? '', /^■ .*1 differs/);
  const text = lines.join('\n');
  assert.match(text, /decision req-7\.1 .* t0\/00000001\.tfd at byte 4096, record 77/);
  assert.match(text, /MEMBER {2}RECORDED {2}AGAIN\n {2}chosen {2}sim-a {5}sim-b/);
  assert.doesNotMatch(text, /CERTAIN|ESTIMATED|SIMULATED/);
});

test('a damaged log ends with 3 and names the place, although nothing differs', async () => {
  const fault = {
    where: 'segments' as const,
    name: 't0/00000002.tfd',
    sequence: 12,
    offset: 92,
    reason: 'bad_crc',
    expected: '0a',
    found: '0b',
  };
  answers(report({ faults: [fault] }));
  const { code, lines } = await run({});
  assert.equal(code, 3);
  assert.match(lines.join('\n'), /damaged: t0\/00000002\.tfd at byte 92, record 12: bad_crc/);
});

test('the three tiers are kept apart and labelled, and the columns of shifts add up', async () => {
  answers(report({ candidate }));
  const { code, lines } = await run({});
  assert.equal(code, 0);
  const text = lines.join('\n');
  const labels = ['CERTAIN', 'ESTIMATED', 'SIMULATED'].map((label) => text.indexOf(`\n${label}`));
  assert.deepEqual(
    labels,
    labels.toSorted((a, b) => a - b),
  );
  assert.ok(labels.every((at) => at > 0));
  assert.match(text, /sum +206 +206 +0/);
  assert.match(text, /380 ms -> 352 ms \[340 ms, 364 ms\], effective n 160/);
  assert.match(text, /embed, 0-255 tokens: refused, no overlap/);
  assert.match(text, /SIMULATED {2}refused: 6 answered requests/);
  assert.match(text, /latency weight 40 -> 10/);
});

test('a window, one request and a candidate are asked for as they were given', async () => {
  answers(report());
  const file = join(folder, 'candidate.yaml');
  writeFileSync(file, 'routing:\n  max_retries: 0\n');
  const from = '2026-11-21T12:00:00Z';
  await run({ from, id: 'req-1', policy: file });
  const { body } = server.seen[0] ?? {};
  assert.deepEqual(body, {
    from: '2026-11-21T12:00:00.000Z',
    request_id: 'req-1',
    policy: { routing: { max_retries: 0 } },
  });
});

test('a candidate with faults is refused whole before anything is asked, every fault with its line', async () => {
  const file = join(folder, 'bad.yaml');
  writeFileSync(file, 'routing:\n  stratgy: smart\n  max_retries: 99\nserver: {}\n');
  const failure = await run({ policy: file }).catch((error: unknown) => error);
  assert.ok(failure instanceof CliFailure);
  assert.equal(failure.exitCode, 4);
  assert.equal(failure.code, 'policy_invalid');
  assert.match(failure.message, /3 faults; nothing was replayed/);
  assert.match(failure.message, /line 2.*did you mean routing\.strategy/s);
  assert.equal(server.seen.length, 0);
  const absent = await run({ policy: join(folder, 'none.yaml') }).catch((error: unknown) => error);
  assert.ok(absent instanceof CliFailure && absent.code === 'file_unreadable');
});

test('a time that is none is a usage failure; a span counts back from now', async () => {
  for (const from of ['yesterday', '12', '2026-13-01T00:00:00Z']) {
    const failure = await run({ from }).catch((error: unknown) => error);
    assert.ok(failure instanceof CliFailure && failure.exitCode === 2, from);
  }
  answers(report());
  await run({ from: '2h' });
  const { body } = server.seen[0] ?? {};
  assert.ok(typeof body === 'object' && body !== null && 'from' in body);
  const back = Date.now() - Date.parse(String(body.from));
  assert.ok(back >= 7_200_000 && back < 7_260_000);
});

test('a request that the log does not hold is not called the same', async () => {
  answers(report({ decisions: 0, by_kind: {}, from: null, to: null }));
  assert.equal((await run({ id: '019f3a2b-4c5d-7e6f-8a9b-0c1d2e3f4a5b' })).code, 1);
});

test('a replay that failed ends with 1', async () => {
  answers(
    report({ state: 'failed', words: 'The replay failed: no memory.', failure: 'no memory' }),
  );
  const { code, lines } = await run({});
  assert.equal(code, 1);
  assert.match(lines[0] ?? '', /^■ The replay failed/);
});

test('a folder is replayed without a server, as JSON when asked', async () => {
  const asked: ReplayFolderRequest[] = [];
  const own = context({ json: true });
  const code = await runReplay(own.context, machine, { segments: 'decisions' }, (request) => {
    asked.push(request);
    return Promise.resolve(report());
  });
  assert.equal(code, 0);
  assert.match(asked[0]?.folder ?? '', /^\/.*\/decisions$/);
  assert.deepEqual(JSON.parse(own.lines[0] ?? ''), report());
  assert.equal(server.seen.length, 0);
});

test('lines fit the terminal and hostile names stay text', () => {
  const shifts = [{ backend_id: `evil\u001b[2J${'x'.repeat(200)}`, recorded: 1, candidate: 1 }];
  const hostile = report({ candidate: { ...candidate, shifts } });
  const lines = replayLines(hostile, { color: false, accessible: false }, 60);
  assert.ok(lines.slice(1).every((line) => line.length <= 60));
  assert.ok(lines.every((line) => !line.includes('\u001b')));
});
