// Makes sure that Debian packages which tests and benchmarks use are there. As root on a Debian
// machine a missing one is installed without questions; anywhere else it is only told, and the
// caller prints a skip. A package counts as present when its program is, whoever installed it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type PackageState = 'present' | 'installed' | 'absent';

/** The program that proves a package, where its name differs from the package's. */
const programs: Readonly<Record<string, string>> = {
  'postgresql-15': '/usr/lib/postgresql/15/bin/postgres',
  'nginx-light': 'nginx',
  'redis-server': 'redis-server',
};

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The full path of a program on PATH or in the system's own folders. */
export function findProgram(name: string): string | undefined {
  if (name.startsWith('/')) return existsSync(name) ? name : undefined;
  const path = (process.env['PATH'] ?? '').split(delimiter);
  for (const folder of [...path, ...folders]) {
    const file = join(folder, name);
    if (folder !== '' && existsSync(file)) return file;
  }
  return undefined;
}

function isPresent(name: string): boolean {
  return findProgram(programs[name] ?? name) !== undefined;
}

export function runsAsRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Installs what is missing, if that is possible here; never throws for a missing package. */
export async function ensureDebian(
  packages: readonly string[],
): Promise<Map<string, PackageState>> {
  const states = new Map<string, PackageState>();
  const missing = packages.filter((name) => !isPresent(name));
  for (const name of packages) states.set(name, missing.includes(name) ? 'absent' : 'present');
  if (missing.length === 0 || !runsAsRoot() || findProgram('apt-get') === undefined) return states;

  process.stderr.write(`installing ${missing.join(' ')} with apt-get\n`);
  aptGet(['update']);
  // One at a time: a package that this release lacks must not keep the others away.
  for (const name of missing) {
    aptGet(['install', '-y', '--no-install-recommends', name]);
    if (isPresent(name)) states.set(name, 'installed');
  }
  return states;
}

function aptGet(args: readonly string[]): void {
  const result = spawnSync('apt-get', ['-qq', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: 180_000,
    // Run level 1 keeps the packages' own services from being started on this machine.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
  if (result.status !== 0) process.stderr.write(`apt-get ${args.join(' ')}: ${result.stderr}\n`);
}
