// Goal: the runner can be used from a shell. Method: it is started as a process of its own, with good
// and bad command lines.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('./main.ts', import.meta.url));

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('the summary line is the last one of each mode, and a passing run exits 0', () => {
  const { status, stdout } = run('--only', 'telemetry', '--index', '17');
  assert.equal(status, 0);
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    'telemetry          1 passed     0 failed',
    'grouped: total 1, passed 1, failed 0',
    '',
    'telemetry          1 passed     0 failed',
    'monolithic: total 1, passed 1, failed 0',
  ]);
});

test('with --json the output is one JSON text', () => {
  const { status, stdout } = run('--json', '--mode', 'grouped', '--only', 'models');
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout), {
    total: 893,
    passed: 893,
    failed: 0,
    modes: [
      {
        mode: 'grouped',
        total: 893,
        passed: 893,
        failed: 0,
        groups: { models: { passed: 893, failed: 0 } },
        failures: [],
      },
    ],
  });
});

test('a selection without a case exits 1, a wrong command line 2 with words', () => {
  assert.equal(run('--mode', 'grouped', '--only', 'config', '--index', '1').status, 1);
  for (const args of [
    ['--mode', 'each'],
    ['--only', 'nobody'],
    ['--index', '12500'],
    ['--index', '-1'],
    ['--index', '1.5'],
    ['--fast'],
  ]) {
    const { status, stdout, stderr } = run(...args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /usage: main\.ts/);
  }
});
