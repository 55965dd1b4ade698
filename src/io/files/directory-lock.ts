// One process owns a data directory. The lock is a file that names its holder; it is worth exactly
// as much as that holder is alive, so a kill -9 or a power cut leaves nothing to clean up by hand.
//
//   free ──link──> held ──release──> free
//                   │ holder dies
//                   v
//                 stale ──claim, then rename──> held by the claimant
//
// I1  A lock file appears whole: it is written aside and linked or renamed into place.
// I2  A stale lock is replaced only by the process that made the claim file named by the nonce of
//     that lock, and only after it saw, holding the claim, that the lock is still the same one.
//     Two takers therefore cannot both win: the second finds the claim taken or the nonce gone.
// I3  A claim whose maker died is itself claimed in the same way, by its own nonce.

import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { createPrivateFile, isMissing, temporaryName, writePrivateFile } from './private-file.ts';
import { isSameProcess, processStart } from './process-identity.ts';

/** What the holder tells about itself beside its identity, such as url and gateway_port. */
export type LockFacts = Readonly<Record<string, string | number | boolean>>;

export type LockContent = {
  readonly pid: number;
  readonly process_start: string;
  /** RFC 3339 UTC. */
  readonly started_at: string;
  readonly nonce: string;
  readonly facts: LockFacts;
};

/** The directory belongs to a live process. `main` exits 75 for it. */
export class DataDirectoryLocked extends TensorForgeError {
  override readonly name = 'DataDirectoryLocked';
  readonly pid: number;

  constructor(directory: string, pid: number) {
    super(
      'operation_in_progress',
      `${directory} is in use by the process ${pid}; ` +
        'stop it with `tensorforge stop`, or choose another --data-dir',
    );
    this.pid = pid;
  }
}

function isFacts(value: unknown): value is LockFacts {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((fact) => ['string', 'number', 'boolean'].includes(typeof fact))
  );
}

function decode(text: string): LockContent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('pid' in value) || typeof value.pid !== 'number') return undefined;
  if (!('process_start' in value) || typeof value.process_start !== 'string') return undefined;
  if (!('started_at' in value) || typeof value.started_at !== 'string') return undefined;
  if (!('nonce' in value) || typeof value.nonce !== 'string') return undefined;
  if (!/^[0-9a-f]{32}$/.test(value.nonce)) return undefined;
  const { pid, process_start, started_at, nonce } = value;
  const facts = 'facts' in value && isFacts(value.facts) ? value.facts : {};
  return { pid, process_start, started_at, nonce, facts };
}

/** A file that is not a lock of ours is read as a stale one whose nonce is all zeros. */
function readContent(path: string): LockContent | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return (
    decode(text) ?? { pid: 0, process_start: '', started_at: '', nonce: '0'.repeat(32), facts: {} }
  );
}

function encode(content: LockContent): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}

function isAlive(content: LockContent): boolean {
  return isSameProcess(content.pid, content.process_start);
}

/** Links `source` to `target` unless the target exists; says whether it did. */
function linked(source: string, target: string): boolean {
  try {
    linkSync(source, target);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

const lockName = 'lock.json';

function claimPath(directory: string, nonce: string): string {
  return join(directory, `lock-claim-${nonce}.json`);
}

export type LockHolder = LockContent & { readonly alive: boolean };

/**
 * Who holds the directory, for a process that does not want it; undefined when nobody does.
 * Throws `config_invalid` for what is no directory or may not be read.
 */
export function readLock(directory: string): LockHolder | undefined {
  let content: LockContent | undefined;
  try {
    content = readContent(join(directory, lockName));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const words: Readonly<Record<string, string>> = {
      ENOTDIR: 'is not a directory',
      EACCES: 'cannot be read by this user',
    };
    throw new TensorForgeError(
      'config_invalid',
      `the data directory ${directory} ${words[code] ?? `cannot be read (${code})`}; ` +
        'choose another with --data-dir, or run this as its owner',
      { cause },
    );
  }
  return content === undefined ? undefined : { ...content, alive: isAlive(content) };
}

export class DirectoryLock {
  readonly #path: string;
  #content: LockContent;
  #released = false;

  private constructor(path: string, content: LockContent) {
    this.#path = path;
    this.#content = content;
  }

  /** Takes the lock of `directory`; throws {@link DataDirectoryLocked} when a live process has it. */
  static acquire(directory: string, startedAt: string): DirectoryLock {
    const path = join(directory, lockName);
    const content: LockContent = {
      pid: process.pid,
      process_start: processStart(process.pid) ?? '',
      started_at: startedAt,
      nonce: randomBytes(16).toString('hex'),
      facts: {},
    };
    const mine = temporaryName(path);
    createPrivateFile(mine, encode(content));
    try {
      // A round is lost only to a process that got further, so a few of them always suffice.
      for (let round = 0; round < 100; round += 1) {
        if (linked(mine, path)) return new DirectoryLock(path, content);
        const found = readContent(path);
        if (found === undefined) continue;
        if (isAlive(found)) throw new DataDirectoryLocked(directory, found.pid);
        if (takeOver(directory, found, mine)) return new DirectoryLock(path, content);
      }
      throw new TensorForgeError('operation_in_progress', `${path} changes too often to be taken`);
    } finally {
      rmSync(mine, { force: true });
    }
  }

  /** Merges facts into the lock file, for `tensorforge status` and `stop`. */
  describe(facts: LockFacts): void {
    this.#content = { ...this.#content, facts: { ...this.#content.facts, ...facts } };
    writePrivateFile(this.#path, encode(this.#content));
  }

  /** Gives the directory back; a second call does nothing. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (readContent(this.#path)?.nonce === this.#content.nonce) rmSync(this.#path, { force: true });
  }

  get directory(): string {
    return dirname(this.#path);
  }
}

/** Replaces the stale lock by the file `mine`; false when another process was quicker (I2, I3). */
function takeOver(directory: string, stale: LockContent, mine: string): boolean {
  const path = join(directory, lockName);
  const claims: string[] = [];
  let nonce = stale.nonce;
  for (;;) {
    const claim = claimPath(directory, nonce);
    claims.push(claim);
    if (linked(mine, claim)) break;
    const other = readContent(claim);
    if (other === undefined) return false;
    if (isAlive(other)) throw new DataDirectoryLocked(directory, other.pid);
    nonce = other.nonce;
  }
  if (readContent(path)?.nonce !== stale.nonce) {
    rmSync(claims.at(-1) ?? '', { force: true });
    return false;
  }
  renameSync(mine, path);
  for (const claim of claims) rmSync(claim, { force: true });
  return true;
}
