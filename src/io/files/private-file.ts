// Files that only their owner may read. A write is atomic: a reader, or a start after a crash, finds
// the old text or the new text, never half of one.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { Secret } from '../../base/secret.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Writes a new file of mode 0600; fails when the path is taken. The text is on disk on return. */
export function createPrivateFile(path: string, text: string): void {
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A sibling path that nobody else uses. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
}

/** Replaces `path` by a file of mode 0600 with this text. */
export function writePrivateFile(path: string, text: string): void {
  const temporary = temporaryName(path);
  try {
    createPrivateFile(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * The secret in a file, without trailing blanks; undefined when there is no file.
 * Throws `config_invalid` when group or others may touch the file, or when it is empty.
 */
export function readSecretFile(path: string): Secret | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    // Mode and text come from one descriptor, so the file cannot be exchanged in between.
    const mode = fstatSync(descriptor).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      throw new TensorForgeError(
        'config_invalid',
        `the secret file ${path} has mode ${mode.toString(8)}, so others may read it; ` +
          'replace the secret, or if nobody can have read it run: chmod 600 on that file',
      );
    }
    const text = readFileSync(descriptor, 'utf8').trimEnd();
    if (text === '')
      throw new TensorForgeError('config_invalid', `the secret file ${path} is empty`);
    return new Secret(text);
  } finally {
    closeSync(descriptor);
  }
}

/** The secret in the file; made of `bytes` random bytes (base64url text) when there is none yet. */
export function readOrCreateSecret(path: string, bytes: number): Secret {
  const known = readSecretFile(path);
  if (known !== undefined) return known;
  const text = randomBytes(bytes).toString('base64url');
  writePrivateFile(path, `${text}\n`);
  return new Secret(text);
}
