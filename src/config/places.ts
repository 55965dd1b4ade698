// Where configuration lives on disk: the data directory, the file, and files that hold secrets.
// Apart from the loader, so that a command that needs only a place does not load the schemas.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Secret } from '../base/secret.ts';
import { TensorForgeError } from '../errors/tensorforge-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** `--data-dir`, else TENSORFORGE_DATA_DIR, else `~/.local/share/tensorforge`; absolute. */
export function dataDirectory(flag: string | undefined, env: Environment): string {
  const chosen = [flag, env['TENSORFORGE_DATA_DIR']].find((text) => (text ?? '') !== '');
  return resolve(chosen ?? join(env['HOME'] || homedir(), '.local', 'share', 'tensorforge'));
}

const configurationFileName = 'tensorforge.yaml';

/**
 * `--config`, else TENSORFORGE_CONFIG, else `tensorforge.yaml` in the working directory, else in
 * the data directory. A file that was named need not exist here; one that was not named must.
 */
export function findConfigurationFile(
  flag: string | undefined,
  env: Environment,
  dataDir: string,
): string | undefined {
  const named = [flag, env['TENSORFORGE_CONFIG']].find((text) => (text ?? '') !== '');
  if (named !== undefined) return resolve(named);
  const usual = [resolve(configurationFileName), join(dataDir, configurationFileName)];
  return usual.find((path) => existsSync(path));
}

/**
 * What is wrong with a secret file: absent, no file, open to group or others, or empty. Throws the
 * error of the system when it cannot be looked at.
 */
export function secretFileProblem(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'a file that exists';
  if (!stat.isFile()) return 'a regular file';
  if ((stat.mode & 0o077) === 0) {
    return readFileSync(path, 'utf8').trim() === '' ? 'a file that is not empty' : undefined;
  }
  const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
  return `a file that only its owner can read, not mode ${mode}: chmod 600 ${path}`;
}

/**
 * The content of a secret file without its final newline.
 * @throws TensorForgeError config_invalid when it is absent or others could read it.
 */
export function readSecretFile(path: string): Secret {
  const problem = secretFileProblem(path);
  if (problem !== undefined) {
    throw new TensorForgeError('config_invalid', `${path} does not hold; expected ${problem}.`);
  }
  return new Secret(readFileSync(path, 'utf8').replace(/\r?\n$/, ''));
}
