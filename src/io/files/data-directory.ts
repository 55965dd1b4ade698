// The data directory: everything that TensorForge keeps on this machine, readable by its owner alone
// and owned by one process at a time. Others ask `readLock` who that is.

import { chmodSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
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

/**
 * Only an empty directory or one of ours is closed to others: `--data-dir /tmp` or a home directory
 * must not change its mode because somebody mistyped.
 */
function closeToOthers(path: string): void {
  const stat = statSync(path);
  if (!stat.isDirectory()) throw refuse(path, 'is not a directory');
  if ((stat.mode & 0o077) === 0) return;
  const entries = readdirSync(path);
  const ours = entries.length === 0 || ownEntries.some((entry) => entries.includes(entry));
  const mode = (stat.mode & 0o777).toString(8);
  if (!ours) throw refuse(path, `has mode ${mode} and holds other files`);
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

function createDirectory(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw refuse(path, `cannot be created (${words})`);
  }
  closeToOthers(path);
  return realpathSync(path);
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
