// Goal: the demo keeps its promises as the process that a user starts. Method: short runs of the real
// command, each in a temporary folder of its own, so that what it leaves behind can be found.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const limitMs = 120_000;

type Demo = {
  readonly process: ChildProcess;
  readonly folder: string;
  readonly exitCode: Promise<number | null>;
  readonly stdout: () => string;
  /** Waits until one of its outputs holds the words. */
  readonly says: (words: RegExp) => Promise<void>;
};

function startDemo(context: TestContext, args: readonly string[]): Demo {
  const folder = mkdtempSync(join(tmpdir(), 'tf-demo-e2e-'));
  const child = spawn(process.execPath, [main, 'demo', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const exitCode = new Promise<number | null>((resolve) => child.once('close', resolve));
  context.after(async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await exitCode;
    rmSync(folder, { recursive: true, force: true });
  });
  const says = async (words: RegExp): Promise<void> => {
    const deadlineMs = performance.now() + limitMs;
    while (!words.test(stdout + stderr)) {
      assert.ok(child.exitCode === null, `it ended before it said ${words}: ${stdout}${stderr}`);
      assert.ok(performance.now() < deadlineMs, `it never said ${words}: ${stdout}${stderr}`);
      await delay(50);
    }
  };
  return { process: child, folder, exitCode, stdout: () => stdout, says };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  assert.ok(isObject(value));
  return value;
}

function numberOf(value: unknown): number {
  assert.ok(typeof value === 'number', `${String(value)} is a number`);
  return value;
}

/** Commands of running processes that were started inside `folder` or work in it. */
function processesOf(folder: string): string[] {
  const found: string[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
      if (command !== '' && (command + environment).includes(folder)) found.push(command);
    } catch {
      // It ended meanwhile, or is somebody else's.
    }
  }
  return found;
}

/** The database may take a moment to notice that its parent is gone. */
async function assertNothingRuns(folder: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const deadlineMs = performance.now() + 60_000;
  while (processesOf(folder).length > 0 && performance.now() < deadlineMs) await delay(100);
  assert.deepEqual(processesOf(folder), []);
}

test('a demo loses no request before its first byte and ends every cut stream in words', async (context) => {
  const demo = startDemo(context, ['--seconds', '8', '--json']);
  assert.equal(await demo.exitCode, 0, demo.stdout());
  const lines = demo.stdout().trimEnd().split('\n');
  assert.equal(lines.length, 1, 'one JSON object and nothing else');
  const report = objectOf(JSON.parse(lines[0] ?? ''));
  context.diagnostic(lines[0] ?? '');
  assert.equal(report['passed'], true);
  assert.deepEqual(report['missed'], []);
  assert.equal(report['failed_before_first_byte'], 0);
  assert.equal(report['broken'], 0);
  const kill = objectOf(report['kill']);
  assert.ok(numberOf(kill['streams_running']) >= 3);
  assert.ok(numberOf(kill['without_first_byte']) >= 3);
  assert.equal(report['cut_streams'], kill['streams_that_ran_there']);
  assert.ok(numberOf(report['failed_over']) > 0, 'what waited there was answered elsewhere');
  const requests = numberOf(report['requests']);
  assert.equal(requests, numberOf(report['ok']) + numberOf(report['cut_streams']));
  const load = objectOf(report['load']);
  assert.equal(requests, numberOf(load['planned']) + numberOf(kill['added_requests']));
  assert.deepEqual(readdirSync(demo.folder), [], 'the temporary folder is gone');
  await assertNothingRuns(demo.folder);
});

test('Ctrl-C ends the demo and everything it started', async (context) => {
  const demo = startDemo(context, ['--seconds', '40']);
  await demo.says(/ready after/);
  demo.process.kill('SIGINT');
  assert.equal(await demo.exitCode, 130);
  assert.equal(demo.stdout(), '', 'there is no report of half a run');
  assert.deepEqual(readdirSync(demo.folder), []);
  await assertNothingRuns(demo.folder);
});

test('--keep stays up after the report until it is told to stop, and keeps the data', async (context) => {
  const demo = startDemo(context, ['--seconds', '2', '--json', '--keep']);
  await demo.says(/"passed":.*\n/);
  const report = objectOf(JSON.parse(demo.stdout()));
  assert.deepEqual(report['missed'], []);
  const kept = objectOf(report['look']);
  const key = readFileSync(String(kept['key_file']), 'utf8').trim();
  const answer = await fetch(`${String(kept['url'])}/api/v1/backends`, {
    headers: { authorization: `Bearer ${key}` },
  });
  assert.equal(answer.status, 200);
  assert.equal(objectOf(await answer.json())['count'], 3);
  demo.process.kill('SIGTERM');
  assert.equal(await demo.exitCode, 0);
  assert.ok(readdirSync(String(kept['data_directory'])).length > 0);
  await assertNothingRuns(demo.folder);
});

test('a trace that cannot be read is told before anything starts', async (context) => {
  const demo = startDemo(context, ['--trace', join(tmpdir(), 'no-such-trace.csv'), '--json']);
  assert.equal(await demo.exitCode, 1);
  assert.match(demo.stdout(), /no-such-trace\.csv/);
  assert.deepEqual(readdirSync(demo.folder), []);
});
