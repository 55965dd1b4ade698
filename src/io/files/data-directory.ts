// The data directory: everything that TensorForge keeps on this machine, readable by its owner alone
// and owned by one process at a time. Others ask `readLock` who that is.

import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Secret } from '../../base/secret.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { DirectoryLock, type LockFacts } from './directory-lock.ts';
import { readOrCreateSecret, readSecretFile, writePrivateFile } from './private-file.ts';

export {
  DataDirectoryLocked,
  type LockFacts,
  type LockHolder,
  readLock,
} from './directory-lock.ts';

/** An entry by which a directory is known to be ours, so that its mode may be set right. */
const ownEntries = ['lock.json', 'postgres'];

function refuse(path: string, why: string): TensorForgeError {
  return new TensorForgeError(
    'config_invalid',
    `the data directory ${path} ${why}; ` +
      'choose a directory of your own with --data-dir or TENSORFORGE_DATA_DIR',
  );
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

/**
 * Only an empty directory or one of ours is closed to others: `--data-dir /tmp` or a home directory
 * must not change its mode because somebody mistyped.
 */
function isForeign(path: string): boolean {
  if ((statSync(path).mode & 0o077) === 0) return false;
  const entries = readdirSync(path);
  return entries.length > 0 && !ownEntries.some((entry) => entries.includes(entry));
}

function problemOfExisting(path: string): string | undefined {
  const stat = statSync(path);
  if (!stat.isDirectory()) return 'is not a directory';
  const user = process.getuid?.();
  if (user !== undefined && user !== 0 && stat.uid !== user) return 'belongs to another user';
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return 'cannot be written by this user';
  }
  return isForeign(path) ? `has mode ${modeOf(path)} and holds other files` : undefined;
}

/** The nearest path at or above this one at which there is something. */
function nearestExisting(path: string): string {
  let at = path;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}

/** Why a start would refuse this directory, as words after its path. Looks only. */
export function dataDirectoryProblem(path: string): string | undefined {
  const real = resolve(path);
  try {
    const place = nearestExisting(real);
    if (place === real) return problemOfExisting(real);
    if (!statSync(place).isDirectory()) return `cannot be created: ${place} is not a directory`;
    accessSync(place, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return `cannot be used (${wordsOf(error)})`;
  }
}

function closeToOthers(path: string): void {
  const problem = problemOfExisting(path);
  if (problem !== undefined) throw refuse(path, problem);
  if ((statSync(path).mode & 0o077) === 0) return;
  const mode = modeOf(path);
  try {
    chmodSync(path, 0o700);
  } catch {
    throw refuse(path, `has mode ${mode}, which lets others in, and it cannot be changed`);
  }
  // Some mounted file systems take the call and change nothing.
  if ((statSync(path).mode & 0o077) !== 0) {
    throw refuse(path, `has mode ${mode}, and its file system cannot keep others out`);
  }
}

/**
 * Makes the directory and those above it. One call for each: the recursive one never ends where the
 * parent is there and yet answers that it is not, as /proc does.
 */
function makeDirectories(path: string): void {
  const missing: string[] = [];
  for (let at = path; !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing.push(at);
  for (const directory of missing.reverse()) {
    try {
      mkdirSync(directory, { mode: 0o700 });
    } catch (error) {
      const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      if (!isThere || !existsSync(directory)) throw error;
    }
  }
}

function createDirectory(path: string): string {
  try {
    makeDirectories(path);
    closeToOthers(path);
    return realpathSync(path);
  } catch (error) {
    if (error instanceof TensorForgeError) throw error;
    throw refuse(path, `cannot be created (${wordsOf(error)})`);
  }
}

export class DataDirectory {
  /** Absolute, without symbolic links. */
  readonly path: string;
  readonly #lock: DirectoryLock;

  constructor(path: string, lock: DirectoryLock) {
    this.path = path;
    this.#lock = lock;
  }

  /** The path of a file or folder in the directory. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** The secret in that file, undefined without one; throws `config_invalid` on a mode over 0600. */
  readSecretFile(name: string): Secret | undefined {
    return readSecretFile(this.file(name));
  }

  /** The secret in that file, made once of `bytes` random bytes. */
  secret(name: string, bytes: number): Secret {
    return readOrCreateSecret(this.file(name), bytes);
  }

  /** Replaces the file by this text, mode 0600, atomically. */
  writePrivate(name: string, text: string): void {
    writePrivateFile(this.file(name), text);
  }

  /** Adds facts to the lock file, such as url and gateway_port, for `status` and `stop`. */
  describe(facts: LockFacts): void {
    this.#lock.describe(facts);
  }

  /** Gives the directory back. Nothing may use it afterwards. */
  release(): void {
    this.#lock.release();
  }
}

/**
 * Creates the directory (mode 0700) where needed and takes it for this process.
 * Throws `config_invalid` when it cannot be private, `DataDirectoryLocked` when it is in use.
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  const real = createDirectory(resolve(path));
  const lock = DirectoryLock.acquire(real, new Date().toISOString());
  return new DataDirectory(real, lock);
}
