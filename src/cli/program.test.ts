// Goal: the grammar - help, nearest match, flags, exit codes - and what `up`, `serve`, `sim` and
// `demo` are handed. Method: the whole command line with actions that print their request.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { backendTypes } from '../base/backend-type.ts';
import { listOptions } from '../config/options.ts';
import { backendTypeSchema } from '../protocol/control/schemas.ts';
import { simFaultKinds } from '../protocol/sim/schemas.ts';
import { createBareProgram, listCommands, renderCliReference } from './reference.ts';
import { type RunOptions, runCli } from './testing/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'tensorforge-program-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function cli(args: readonly string[], options: RunOptions = {}) {
  return runCli(args, { start: 'fixture', cwd: folder, ...options });
}

async function requestOf(args: readonly string[], options: RunOptions = {}) {
  const { code, out, err } = await cli(args, options);
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

test('docs/reference/cli.md is what the program renders', async () => {
  const page = new URL('../../docs/reference/cli.md', import.meta.url);
  const words = 'generate it again: npm run docs:generate';
  assert.equal(readFileSync(page, 'utf8'), await renderCliReference(), words);
});

test('the help of every command has two examples of that command', async () => {
  for (const [path, command] of listCommands(createBareProgram())) {
    let help = '';
    command.configureOutput({
      writeOut: (part) => {
        help += part;
      },
    });
    command.outputHelp();
    const examples = help.split('Examples:')[1]?.match(/^ {2}\$ tensorforge .+$/gm) ?? [];
    assert.ok(examples.length >= 2, `${path} has ${examples.length} examples`);
    const words = path.split(' ').map((word) => (word === 'remove' ? '(remove|rm)' : word));
    for (const example of examples) {
      assert.match(example, new RegExp(`tensorforge ${words.join(' ')}`), path);
    }
    assert.match(help, /--json/, `${path} shows the global flags`);
  }
});

test('--help is printed to stdout and ends with 0, for the program and a command', async () => {
  for (const args of [['--help'], ['backends', 'add', '--help'], ['up', '--help'], []]) {
    const { code, out } = await cli(args);
    assert.equal(code, 0);
    assert.match(out, /^Usage: tensorforge/);
  }
});

test('unknown commands and flags name the nearest, exit 2, and run nothing', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['statsu'], /unknown command "statsu"; did you mean status/],
    [['backends', 'lst'], /no command "backends lst"; did you mean list\?/],
    [['backends', 'list', '--jsn'], /unknown option "--jsn"; did you mean --json\?/],
    [['up', '--prot', '1'], /unknown option "--prot"; did you mean --port\?/],
    [['status', 'now'], /too many arguments/],
    [['backends', 'list', 'box-1'], /too many arguments/],
    [['config', 'check', 'a.yaml', 'b.yaml'], /too many arguments/],
    [['up', 'now'], /too many arguments/],
    [['backends', 'add'], /missing required argument/],
    [['sim', '--profile', 'h200'], /a100-7b, h100-7b, a100-70b/],
    [['sim', '--speed', '0'], /above 0/],
    [['sim', '--fault', 'boom'], /kinds: refuse/],
    [['sim', '--quirk', 'boom'], /quirks: ollama-old-show/],
    [['sim', '--as', 'lmstud'], /ollama, vllm, llamacpp/],
    [['serve'], /--target/],
    [['serve', '--target', 'routing,policy'], /later version/],
    [['demo', '--all'], /--trace FILE/],
    [['up', '--listen', 'a:b:c'], /HOST:PORT/],
    [['status', '--url', 'ftp://x'], /http/],
    [['status', '--url', 'http://u:p@h'], /credential/],
  ];
  await Promise.all(
    cases.map(async ([args, words]) => {
      const { code, out, err } = await cli(args);
      assert.equal(code, 2, `${args.join(' ')}: ${err}`);
      assert.match(err, words);
      assert.match(err, /^error {2}usage: /);
      assert.equal(out, '');
    }),
  );
  const json = await cli(['statsu', '--json'], { start: 'main' });
  assert.equal(json.code, 2);
  assert.equal(JSON.parse(json.out).code, 'usage');
});

test('307: a secret as the value of a flag is refused with 2 and not repeated', async () => {
  for (const args of [
    ['status', '--api-key', 'tfk_hunter2'],
    ['up', '--password=hunter2'],
    ['up', '--database-url', 'postgres://u:hunter2@h/d'],
  ]) {
    const { code, out, err } = await cli(args);
    assert.equal(code, 2);
    assert.match(err, /is refused: every user of this machine/);
    assert.equal(`${out}${err}`.includes('hunter2'), false);
    assert.equal(/do {3}set DATABASE_URL\n/.test(err), args.includes('--database-url'), err);
  }
});

test('up is handed data directory, file and the flags by option path', async () => {
  const { action, request } = await requestOf(
    [
      'up',
      '--port',
      '9000',
      '--discovery',
      'off',
      '--simulate',
      '--listen',
      '127.0.0.2',
      '--server-head-bytes',
      '2048',
      '--data-dir',
      'data',
    ],
    { env: { TENSORFORGE_CONFIG: '/etc/tf.yaml' } },
  );
  assert.equal(action, 'up');
  assert.deepEqual(request, {
    dataDirectory: join(folder, 'data'),
    configurationFile: '/etc/tf.yaml',
    flags: {
      'server.port': '9000',
      'discovery.enabled': 'off',
      simulate: true,
      'server.host': '127.0.0.2',
      'server.head_bytes': '2048',
    },
    output: { json: false, quiet: false, color: false },
  });
});

test('every option that may be a flag is one of up', async () => {
  const listed = listOptions().filter((item) => item.flag !== undefined);
  const args = listed.flatMap((item) => [item.flag ?? '', 'x']);
  const { request } = await requestOf(['up', ...args]);
  assert.deepEqual(Object.keys(request.flags).sort(), listed.map((item) => item.path).sort());
});

test('serve --target all is up by another name, and --listen takes a port', async () => {
  const args = ['serve', '--target', 'ALL', '--listen', '[::]:9001', '--behind-tls-proxy'];
  const { action, request } = await requestOf(args);
  assert.equal(action, 'serve all');
  assert.deepEqual(request.flags, {
    'server.behind_tls_proxy': true,
    'server.host': '::',
    'server.port': '9001',
  });
});

test('sim is handed checked values, defaults filled in, and its key only as a secret', async () => {
  const file = join(folder, 'sim.key');
  writeFileSync(file, 'a-key\n');
  chmodSync(file, 0o600);
  const { request } = await requestOf([
    'sim',
    '--as',
    'vllm',
    '--port',
    '8000',
    '--model',
    'a',
    '--model',
    'b',
    '--fault',
    '500:3',
    '--fault',
    'slow',
    '--load-ms',
    '250',
    '--vram-gb',
    '24',
    '--quirk',
    'vllm-old-metrics',
    '--quirk',
    'vllm-no-max-len',
    '--api-key-file',
    file,
  ]);
  assert.deepEqual(request, {
    as: 'vllm',
    host: '127.0.0.1',
    port: 8000,
    models: ['a', 'b'],
    profile: 'a100-7b',
    speed: 1,
    loadMs: 250,
    vramGb: 24,
    quirks: ['vllm-old-metrics', 'vllm-no-max-len'],
    seed: 1,
    apiKey: '[redacted]',
    faults: [{ kind: '500', count: 3 }, { kind: 'slow' }],
    output: { json: false, quiet: false, color: false },
  });
  chmodSync(file, 0o644);
  const open = await cli(['sim', '--api-key-file', file, '--as', 'vllm']);
  assert.equal(open.code, 1);
  assert.match(open.err, /chmod 600/);
});

test('a data directory that another process holds ends with 75', async () => {
  const { code, err } = await cli(['demo', '--trace', 'x.csv']);
  assert.equal(code, 75);
  assert.match(err, /do {3}tensorforge stop/);
});

test('stop signals the holder and waits until it has ended; a second stop succeeds', async () => {
  const program =
    "process.on('SIGTERM',()=>setImmediate(()=>process.exit(0)));setInterval(()=>{},1e6);console.log('up')";
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  writeFileSync(join(folder, 'fixture-lock.json'), JSON.stringify({ pid: child.pid }));
  const first = await cli(['stop', '--data-dir', folder, '--json']);
  assert.equal(first.code, 0, first.err);
  assert.equal(JSON.parse(first.out).stopped, true);
  const second = await cli(['stop', '--data-dir', folder]);
  assert.equal(second.code, 0);
  assert.match(second.err, /Nothing runs/);
  rmSync(join(folder, 'fixture-lock.json'));
});

test('stop gives up after its time-out and says what is left to do', async () => {
  const program = "process.on('SIGTERM',()=>{});setInterval(()=>{},1e6);console.log('up')";
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  writeFileSync(join(folder, 'fixture-lock.json'), JSON.stringify({ pid: child.pid }));
  const ran = await cli(['stop', '--data-dir', folder, '--timeout', '1']);
  child.kill('SIGKILL');
  rmSync(join(folder, 'fixture-lock.json'));
  assert.equal(ran.code, 1);
  assert.match(ran.err, new RegExp(`still_running.*\\n {2}do.*kill -9 ${child.pid}`));
});

test('config init writes a file once, and config check finds nothing wrong with it', async () => {
  const file = join(folder, 'new.yaml');
  assert.equal((await cli(['config', 'init', file])).code, 0);
  const again = await cli(['config', 'init', file]);
  assert.equal(again.code, 1);
  assert.match(again.err, /file_exists/);
  assert.equal((await cli(['config', 'init', file, '--force'])).code, 0);
  const check = await cli(['config', 'check', file]);
  assert.equal(check.code, 0, check.err);
  assert.match(check.out, /no fault, 0 options set/);
  assert.match((await cli(['config', 'init', '-'])).out, /^# TensorForge configuration/);
});

test('config check tells every fault with its line and ends with 1', async () => {
  const file = join(folder, 'bad.yaml');
  writeFileSync(file, 'server:\n  port: x\nlogging:\n  level: loud\nprot: 1\n');
  const text = await cli(['config', 'check', file]);
  assert.equal(text.code, 1);
  assert.match(text.err, /2 faults.*server\.port is x.*line 2.*logging\.level.*line 4/s);
  const json = await cli(['config', 'check', file, '--json']);
  assert.equal(json.code, 1);
  const value = JSON.parse(json.out);
  assert.equal(value.valid, false);
  assert.equal(value.faults.length, 2);
  assert.match(value.warnings[0], /Unknown key prot/);
  assert.match(text.err, /Unknown key prot/);
});

test('version is printed without loading schemas or services', async () => {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  const [text, quiet, flag] = await Promise.all([
    cli(['version']),
    cli(['version', '--quiet'], { start: 'main' }),
    cli(['--version']),
  ]);
  assert.match(text.out, new RegExp(`^TensorForge ${version} `));
  assert.equal(quiet.out, `${version}\n`);
  assert.equal(flag.out, `${version}\n`);
});

test('the types of configured backends are those of the control API', () => {
  assert.deepEqual([...backendTypes], backendTypeSchema.options);
});

test('sim --help names every kind of fault', async () => {
  const { out } = await cli(['sim', '--help']);
  const words = /Kinds:([^.]+)\./.exec(out)?.[1]?.replace(/\s+/g, ' ').trim();
  assert.deepEqual(words?.split(', '), [...simFaultKinds]);
});

test('a data directory that is a file is said to be that, by status, stop and doctor', async () => {
  const file = join(folder, 'plain');
  writeFileSync(file, 'x');
  for (const command of ['status', 'stop']) {
    const { code, err } = await cli([command, '--data-dir', file], { start: 'main' });
    assert.equal(code, 1, err);
    assert.match(err, /^error {2}config_invalid: .*plain is not a directory; choose another/);
    assert.doesNotMatch(err, /ENOTDIR|config check/);
  }
  const env = { TENSORFORGE_DISCOVERY: 'off', TENSORFORGE_PORT: '0' };
  const doctor = await cli(['doctor', '--data-dir', file], { start: 'main', env });
  assert.equal(doctor.code, 1);
  assert.match(doctor.out, /bad\tdata directory\t.*plain is not a directory\t/);
});

test('doctor sees a database of another major version and a directory with foreign files', async () => {
  const env = { TENSORFORGE_DISCOVERY: 'off', TENSORFORGE_PORT: '0' };
  const data = mkdtempSync(join(folder, 'data-'));
  mkdirSync(join(data, 'postgres'), { mode: 0o700 });
  writeFileSync(join(data, 'postgres', 'PG_VERSION'), '14\n');
  const old = await cli(['doctor', '--data-dir', data], { start: 'main', env });
  assert.equal(old.code, 1);
  assert.match(old.out, /bad\tdatabase\t.* was written by PostgreSQL 14/);
  const foreign = mkdtempSync(join(folder, 'foreign-'));
  writeFileSync(join(foreign, 'letter.txt'), 'x');
  chmodSync(foreign, 0o755);
  const open = await cli(['doctor', '--data-dir', foreign], { start: 'main', env });
  assert.equal(open.code, 1);
  assert.match(open.out, /bad\tdata directory\t.* has mode 755 and holds other files/);
  assert.match(open.out, /embedded PostgreSQL \d+ can run on this machine/);
});
