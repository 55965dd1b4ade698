// Goal: files that share a process are told as if each had run alone, and nothing that one of them
// does to the process hides what another one proves. Method: run small files together that pass, fail,
// skip, cannot load, stay empty, set hooks, end the process or keep it from ending.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { batchesOf, mayShare, runBatch } from './run-batch.ts';
import type { FileOutcome } from './run-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'run-batch-'));
after(() => rmSync(folder, { recursive: true }));

const head =
  "import assert from 'node:assert'; import * as t from 'node:test'; const { test } = t;\n";
const good = `test('good', () => {});`;

function write(texts: Readonly<Record<string, string>>): readonly string[] {
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), head + text);
  return Object.keys(texts);
}

function outcomesOf(texts: Readonly<Record<string, string>>): Promise<readonly FileOutcome[]> {
  return runBatch({
    root: folder,
    files: write(texts),
    mark: 'run-batch-test',
    scratch: folder,
    limitMs: 4000,
    testLimitMs: 4000,
    env: { PATH: process.env['PATH'] ?? '' },
    signal: new AbortController().signal,
  });
}

/** File, tests that passed, names of those that failed, names of those that were skipped. */
function shortly(outcomes: readonly FileOutcome[]) {
  return outcomes.map(({ file, passed, failures, skips }) => [
    file,
    passed,
    failures.map(({ name }) => name),
    skips.map(({ name }) => name),
  ]);
}

test('each file has its own passes, failures and skips, by the names it gives them', async () => {
  const outcomes = await outcomesOf({
    'a.test.mjs': `${good} test('bad', () => { throw new Error('the reason'); });`,
    'b.test.mjs': `t.describe('of b', () => { t.it('good', () => {}); }); test('not', (c) => c.skip('why'));`,
    'c.test.mjs': good,
  });
  assert.deepEqual(shortly(outcomes), [
    ['a.test.mjs', 1, ['bad'], []],
    ['b.test.mjs', 1, [], ['not']],
    ['c.test.mjs', 1, [], []],
  ]);
  assert.match(outcomes[0]?.failures[0]?.error ?? '', /the reason/);
});

test('a file that cannot load or declares no test fails, and the others are heard', async () => {
  const outcomes = await outcomesOf({
    'a.test.mjs': `throw new Error('cannot load');`,
    'b.test.mjs': '',
    'c.test.mjs': good,
  });
  assert.deepEqual(shortly(outcomes), [
    ['a.test.mjs', 0, ['the file itself'], []],
    ['b.test.mjs', 0, ['the file itself'], []],
    ['c.test.mjs', 1, [], []],
  ]);
  assert.match(outcomes[0]?.failures[0]?.error ?? '', /cannot load/);
  assert.match(outcomes[1]?.failures[0]?.error ?? '', /declares no test/);
});

test('hooks at the top of a file are those of its own tests', async () => {
  const counting = `let each = 0; t.beforeEach(() => { each += 1; }); let over = 0;
    t.after(() => assert.equal(over, 2));
    test('one', () => { over += 1; assert.equal(each, 1); });
    test('two', () => { over += 1; assert.equal(each, 2); });`;
  const outcomes = await outcomesOf({ 'a.test.mjs': counting, 'b.test.mjs': counting });
  assert.deepEqual(shortly(outcomes), [
    ['a.test.mjs', 2, [], []],
    ['b.test.mjs', 2, [], []],
  ]);
});

test('a failing hook at the top of a file fails that file', async () => {
  const outcomes = await outcomesOf({
    'a.test.mjs': `${good} t.after(() => { throw new Error('left open'); });`,
    'b.test.mjs': good,
  });
  assert.deepEqual(
    outcomes.map(({ failures }) => failures.length),
    [1, 0],
  );
  assert.match(outcomes[0]?.failures[0]?.error ?? '', /left open/);
});

test('a file that ends the process is found out, and the others are heard', async () => {
  const outcomes = await outcomesOf({
    'a.test.mjs': good,
    'b.test.mjs': `test('ends', () => process.exit(0));`,
    'c.test.mjs': good,
  });
  assert.deepEqual(
    outcomes.map(({ failures, passed }) => [passed, failures.length]),
    [
      [1, 0],
      [0, 1],
      [1, 0],
    ],
  );
});

test('a file that keeps the process from ending is the one that fails', async () => {
  const outcomes = await outcomesOf({
    'a.test.mjs': good,
    'b.test.mjs': `${good} setInterval(() => {}, 1000);`,
  });
  assert.deepEqual(
    outcomes.map(({ failures }) => failures.map(({ name }) => name)),
    [[], ['the file itself']],
  );
  assert.match(outcomes[1]?.failures[0]?.error ?? '', /did not end within 4 s/);
});

test('what knows of its process runs alone and first, the rest in equal parts', () => {
  const files = write({
    ...Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [`p${10 + at}.test.mjs`, good] as const),
    ),
    'x.test.mjs': `process.chdir('/');`,
    'y.test.mjs': `t.mock.timers.enable();`,
  });
  const [first, second, ...batches] = batchesOf(folder, files);
  assert.deepEqual([first, second], [['y.test.mjs'], ['x.test.mjs']]);
  assert.deepEqual(
    batches.map(({ length }) => length),
    [15, 15],
  );
  assert.deepEqual([...files].sort(), [first, second, ...batches].flat().sort());
});

test('reading the platform is nothing that others could notice', () => {
  assert.ok(mayShare('src/a.test.ts', `if (process.platform === 'linux') {}`));
  assert.ok(!mayShare('src/a.test.ts', `process.env['A'] = '1'`));
  assert.ok(!mayShare('src/a.test.ts', `import { spawn } from 'node:child_process';`));
  assert.ok(!mayShare('test/scenarios/a.test.ts', ''));
});
