// Goal: nothing a test file does can make `npm test` say that all is well when it is not. Method:
// run small files that pass, fail, skip, hang, die, stay empty or leave a process behind.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { groupOf } from './files.ts';
import { endMarked, markedProcesses } from './leftovers.ts';
import { type FileOutcome, runFile } from './run-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'run-file-'));
after(() => rmSync(folder, { recursive: true }));

async function outcomeOf(text: string, mark = 'run-file-test'): Promise<FileOutcome> {
  writeFileSync(join(folder, 'x.test.mjs'), `import { test } from 'node:test';\n${text}`);
  return runFile({
    root: folder,
    file: 'x.test.mjs',
    mark,
    scratch: folder,
    limitMs: 4000,
    testLimitMs: 4000,
    env: { PATH: process.env['PATH'] ?? '' },
    signal: new AbortController().signal,
  });
}

test('passes, failures and skips are counted one by one, a parent of a failure not again', async () => {
  const outcome = await outcomeOf(`
    test('good', () => {});
    test('skips', (t) => t.skip('hardware: no GPU'));
    test('parent', async (t) => {
      await t.test('child fails', () => { throw new Error('the reason'); });
    });`);
  assert.equal(outcome.passed, 1);
  assert.deepEqual(outcome.skips, [{ kind: 'skip', name: 'skips', reason: 'hardware: no GPU' }]);
  assert.deepEqual(
    outcome.failures.map(({ name }) => name),
    ['parent > child fails'],
  );
  assert.match(outcome.failures[0]?.error ?? '', /the reason/);
});

test('a file that hangs after its tests is killed and fails', async () => {
  const outcome = await outcomeOf(`test('good', () => {}); setInterval(() => {}, 1000);`);
  assert.match(outcome.failures[0]?.error ?? '', /did not end within 4 s/);
});

test('a file that dies outside of its tests fails and shows its words', async () => {
  const outcome = await outcomeOf(`throw new Error('cannot load');`);
  assert.match(outcome.failures[0]?.error ?? '', /ended with code 1 outside of any test/);
  assert.match(outcome.output, /cannot load/);
});

test('a file without a test, or with a test marked todo, fails', async () => {
  assert.match((await outcomeOf('')).failures[0]?.error ?? '', /declares no test/);
  const todo = await outcomeOf(`test('later', { todo: true }, () => {});`);
  assert.equal(todo.failures.length, 1);
  assert.equal(todo.passed, 0);
});

test('a process that a file leaves behind is found by its mark and ended', async (t) => {
  if (process.platform !== 'linux') return t.skip('hardware: needs Linux for /proc');
  const mark = `left-${process.pid}`;
  const outcome = await outcomeOf(
    `import { spawn } from 'node:child_process';
    test('leaves', () => spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }).unref());`,
    mark,
  );
  assert.equal(outcome.passed, 1);
  assert.equal(markedProcesses(mark).length, 1);
  const ended = await endMarked(mark, 0);
  assert.deepEqual(
    ended.map(({ command }) => command),
    ['sleep 60'],
  );
});

test('the name of a file decides its group', () => {
  assert.equal(groupOf('src/io/a.pg.test.ts'), 'pg');
  assert.equal(groupOf('test/e2e/a.test.ts'), 'e2e');
  assert.equal(groupOf('test/e2e/a.browser.test.ts'), 'browser');
  assert.equal(groupOf('test/simulation/a.long.test.ts'), 'long');
  assert.equal(groupOf('src/base/a.test.ts'), 'unit');
  assert.equal(groupOf('scripts/test.ts'), undefined);
});
