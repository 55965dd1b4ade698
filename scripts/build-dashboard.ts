// Builds the dashboard when its sources changed, and says nothing when they did not. A build lies in
// a folder named after the digest of everything that goes into it, so that:
//
// I1  A folder that exists is complete: it is built beside and renamed into place.
// I2  Two builders at once do no harm: the second finds the first one's folder and drops its own.
// I3  A server that runs keeps its files: the newest `keptBuilds` folders stay.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dashboard = join(root, 'dashboard');
const dist = join(dashboard, 'dist');

const keptBuilds = 3;
const digestLength = 16;
/** A folder of a builder that died is removed after this long. */
const abandonedAfterMs = 10 * 60_000;
const outputCharsMax = 4000;

/** Everything that changes the output; the lock file stands for the versions of the libraries. */
const inputs = [
  'dashboard/src/**/*',
  'dashboard/public/**/*',
  'dashboard/index.html',
  'dashboard/package.json',
  'dashboard/vite.config.ts',
  'package-lock.json',
];

async function sourceDigest(): Promise<string> {
  const files = globSync(inputs, { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash('sha256');
  for (const file of files) {
    const content = await readFile(file);
    hash
      .update(`${relative(root, file).split(sep).join('/')}\0${content.length}\0`)
      .update(content);
  }
  return hash.digest('hex').slice(0, digestLength);
}

function viteBinary(): string {
  const manifest = createRequire(join(dashboard, 'package.json')).resolve('vite/package.json');
  return join(dirname(manifest), 'bin', 'vite.js');
}

/** Runs the bundler into `outDir`. Throws with its last words when it fails. */
function runVite(outDir: string): Promise<void> {
  const child = spawn(
    process.execPath,
    [viteBinary(), 'build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'warn'],
    {
      cwd: dashboard,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_ENV: 'production' },
    },
  );
  let words = '';
  const hear = (chunk: string) => {
    words = (words + chunk).slice(-outputCharsMax);
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else
        reject(new Error(`The dashboard was not built (${signal ?? `exit ${code}`}).\n${words}`));
    });
  });
}

async function isOlderThan(folder: string, ageMs: number): Promise<boolean> {
  return Date.now() - (await stat(folder)).mtimeMs > ageMs;
}

/** Removes old builds (I3) and what died builders left. */
async function tidy(): Promise<void> {
  const ages: { readonly folder: string; readonly mtimeMs: number }[] = [];
  for (const name of await readdir(dist)) {
    const folder = join(dist, name);
    if (/^[0-9a-f]{16}$/.test(name)) ages.push({ folder, mtimeMs: (await stat(folder)).mtimeMs });
    else if (name.startsWith('.building-') && (await isOlderThan(folder, abandonedAfterMs))) {
      await rm(folder, { recursive: true, force: true });
    }
  }
  ages.sort((a, b) => b.mtimeMs - a.mtimeMs);
  for (const { folder } of ages.slice(keptBuilds)) {
    await rm(folder, { recursive: true, force: true });
  }
}

async function publish(building: string, finished: string): Promise<void> {
  try {
    await rename(building, finished);
  } catch (error) {
    // Another builder was faster (I2); anything else is a failure.
    if (!existsSync(join(finished, 'index.html'))) throw error;
    await rm(building, { recursive: true, force: true });
  }
}

/**
 * The folder with `index.html`, `assets/` and `.vite/manifest.json`, built first when needed.
 * Throws when the bundler fails.
 */
export async function ensureDashboard(): Promise<string> {
  const digest = await sourceDigest();
  const finished = join(dist, digest);
  if (existsSync(join(finished, 'index.html'))) return finished;
  await mkdir(dist, { recursive: true });
  const building = join(dist, `.building-${process.pid}-${digest}`);
  try {
    await runVite(building);
    await publish(building, finished);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  await utimes(finished, new Date(), new Date());
  await tidy();
  return finished;
}

async function main(): Promise<void> {
  const before = existsSync(dist) ? await readdir(dist) : [];
  const startedAt = performance.now();
  const folder = await ensureDashboard();
  if (before.includes(relative(dist, folder))) return;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`dashboard: built in ${seconds} s into ${relative(root, folder)}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
