// Goal: text from outside cannot steer a terminal, tables fit, figures have units, states have shapes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationError } from '../../config/fault.ts';
import type { Context } from '../context.ts';
import { CliFailure, toFailure } from '../failure.ts';
import { failureJson, failureLines } from './errors.ts';
import { backendShape, shape, shapeKinds } from './shapes.ts';
import { fitWidths, printListing } from './table.ts';
import { escapeControl, shownBytes, shownMs, shownSpan } from './text.ts';

function terminal(columns: number, over: Partial<Context> = {}) {
  const lines: string[] = [];
  const context: Context = {
    json: false,
    quiet: false,
    color: false,
    accessible: false,
    isTerminal: true,
    columns,
    env: {},
    url: undefined,
    dataDirectory: '/data',
    configFlag: undefined,
    out: (line) => lines.push(line),
    note: () => {},
    ...over,
  };
  return { context, lines };
}

test('309: control, escape and direction characters are shown, not obeyed', () => {
  const osc = '\u001b]52;c;aGk=\u0007';
  const csi = '\u001b[2J';
  const link = '\u001b]8;;http://x\u001b\\';
  const bidi = '\u202eevil\u2066';
  const c1 = '\u009b2J';
  for (const text of [osc, csi, link, bidi, c1, 'a\nb', 'a\rb', '\u007f']) {
    const shown = escapeControl(text);
    assert.match(shown, /\\u[0-9a-f]{4}/);
    assert.doesNotMatch(shown, /\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
  }
  assert.equal(escapeControl('grün 日本 ●'), 'grün 日本 ●');
});

test('a table fits the terminal: only what may be cut is cut, ids never', () => {
  const rows = [{ id: 'a-rather-long-id-of-a-backend', url: `http://${'x'.repeat(60)}.example` }];
  const listing = {
    rows,
    columns: [
      { title: '', isShape: true, shown: () => shape('ok', { color: true, accessible: false }) },
      { title: 'ID', name: 'id', shown: (row: (typeof rows)[0]) => row.id },
      { title: 'URL', name: 'url', mayCut: true, shown: (row: (typeof rows)[0]) => row.url },
      { title: 'MORE', name: 'more', pipeOnly: true, shown: () => 'more' },
    ],
    id: (row: (typeof rows)[0]) => row.id,
    json: rows,
    empty: 'none',
    summary: 'one',
  };
  const wide = terminal(200);
  printListing(wide.context, listing);
  assert.equal(wide.lines.length, 3);
  assert.match(wide.lines[1] ?? '', /\.example$/);
  assert.doesNotMatch(wide.lines.join(), /MORE/);
  const narrow = terminal(60);
  printListing(narrow.context, listing);
  assert.match(narrow.lines[1] ?? '', /a-rather-long-id-of-a-backend {2}http:.*…$/);
  const widths = narrow.lines.map((line) => line.replace(/\u001b\[\d+m/g, '').length);
  assert.ok(Math.max(...widths) <= 60, String(widths));
  const none = terminal(60);
  printListing(none.context, { ...listing, rows: [] });
  assert.deepEqual(none.lines, ['none']);
});

test('a table that cannot fit keeps what may not be cut', () => {
  assert.deepEqual(fitWidths([30, 30], [false, true], 50), [30, 18]);
  assert.deepEqual(fitWidths([30, 30], [false, true], 10), [30, 8]);
  assert.deepEqual(fitWidths([5, 5], [true, true], 80), [5, 5]);
});

test('hostile text in a cell stays in its cell', () => {
  const { context, lines } = terminal(80);
  const columns = [{ title: 'NAME', name: 'name', shown: (row: string) => row }];
  const listing = {
    rows: ['x\u001b[2J\n\ty'],
    columns,
    id: (row: string) => row,
    json: [],
    empty: '',
  };
  printListing(context, listing);
  assert.equal(lines[1], 'x\\u001b[2J\\u000a\ty');
  const piped = terminal(80, { isTerminal: false });
  printListing(piped.context, listing);
  assert.equal(piped.lines[1], 'x\\u001b[2J\\u000a y');
});

test('each state has its own shape, a colour only when wanted, a word for screen readers', () => {
  const plain = shapeKinds.map((kind) => shape(kind, { color: false, accessible: false }));
  assert.equal(plain.join(''), '●◐○▲■◇');
  assert.equal(shape('bad', { color: true, accessible: false }), '\u001b[31m■\u001b[0m');
  assert.equal(shape('bad', { color: true, accessible: true }), 'bad:');
  const base = { status: 'healthy', status_reason: null, approved: true } as const;
  assert.equal(backendShape(base), 'ok');
  assert.equal(backendShape({ ...base, status: 'unhealthy' }), 'bad');
  assert.equal(backendShape({ ...base, status: 'draining' }), 'off');
  assert.equal(backendShape({ ...base, status: 'unknown' }), 'waiting');
  assert.equal(backendShape({ ...base, status_reason: 'rate_limited' }), 'attention');
  assert.equal(backendShape({ ...base, approved: false }), 'waiting');
});

test('figures carry their unit and what was never measured is a dash', () => {
  assert.equal(shownMs(null), '-');
  assert.equal(shownMs(0.213), '0.21 ms');
  assert.equal(shownMs(214.4), '214 ms');
  assert.equal(shownMs(3100), '3.1 s');
  assert.equal(shownSpan(42), '42 s');
  assert.equal(shownSpan(3 * 3600 + 300), '3 h 5 m');
  assert.equal(shownSpan(3 * 86_400), '3 d');
  assert.equal(shownBytes(2_100_000_000), '2.1 GB');
  assert.equal(shownBytes(12), '12 B');
});

test('a failure has a code, a line for each reason, what to do, and no credential', () => {
  const failure = new CliFailure('x', 'met tfk_abcdefgh_secret\u001b[2J', {
    exitCode: 1,
    remedy: 'do that',
    details: ['one', { two: 2 }],
  });
  assert.deepEqual(failureLines(failure), [
    'error  x: met tfk_[redacted]\\u001b[2J',
    '  -    one',
    '  -    {"two":2}',
    '  do   do that',
  ]);
  const value: unknown = JSON.parse(failureJson(failure));
  assert.deepEqual(value, {
    msg: 'met tfk_[redacted]\u001b[2J',
    code: 'x',
    details: ['one', { two: 2 }],
    remedy: 'do that',
  });
  const faults = ['a', 'b'].map((path) => ({
    path,
    value: '1',
    expected: '2',
    source: 'flag' as const,
  }));
  const lines = failureLines(toFailure(configurationError(faults)));
  assert.match(lines[0] ?? '', /2 faults; nothing was started or changed\.$/);
  assert.equal(lines.length, 4);
});

test('at 40 columns what is spare goes, ids stay whole and the rest fits', () => {
  const { context, lines } = terminal(40);
  const row = { id: 'a-rather-long-id-of-a-backend', state: 'waits for approval', url: 'http://h' };
  type Row = typeof row;
  printListing(context, {
    rows: [row],
    columns: [
      { title: 'STATE', name: 'state', mayCut: true, shown: (each: Row) => each.state },
      { title: 'ID', name: 'id', shown: (each: Row) => each.id },
      { title: 'URL', name: 'url', isSpare: true, mayCut: true, shown: (each: Row) => each.url },
    ],
    id: (each: Row) => each.id,
    json: [],
    empty: '',
  });
  assert.deepEqual(lines, ['STATE      ID', 'waits fo…  a-rather-long-id-of-a-backend']);
});
