// After a kill -9 an old server may still run on our directory for some seconds, or its files may lie
// about. Before a start: wait for it or stop it, then remove the files that would stop the next one.
// PostgreSQL processes have the database directory as their working directory, and nothing else has
// both that and their name; no process is signalled that was not recognised so a moment before.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';

type ServerProcess = { readonly pid: number; readonly isPostmaster: boolean };

const pollMs = 20;
/** After so long fast shutdown becomes immediate, and after as long again the start is refused. */
const patienceMs = 5_000;

/** What runs under this pid, if it is a PostgreSQL process of `directory`. */
function inspectLinux(pid: number, directory: string): ServerProcess | undefined {
  try {
    if (readlinkSync(`/proc/${pid}/cwd`) !== directory) return undefined;
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    // Children of the server call themselves `postgres: checkpointer` and the like.
    if (words[0]?.startsWith('postgres: ')) return { pid, isPostmaster: false };
    const isServer = basename(words[0] ?? '') === 'postgres' && words.includes(directory);
    return isServer ? { pid, isPostmaster: true } : undefined;
  } catch {
    return undefined;
  }
}

function inspectPortable(pid: number, directory: string): ServerProcess | undefined {
  try {
    const text = execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const isServer = text.includes('/postgres ') && text.includes(` -D ${directory} `);
    return isServer ? { pid, isPostmaster: true } : undefined;
  } catch {
    return undefined;
  }
}

function pidOfFile(directory: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n')[0]);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Every PostgreSQL process that works in `directory` (absolute, without links). */
export function serverProcesses(directory: string): readonly ServerProcess[] {
  if (process.platform !== 'linux') {
    const pid = pidOfFile(directory);
    const found = pid === undefined ? undefined : inspectPortable(pid, directory);
    return found === undefined ? [] : [found];
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => inspectLinux(Number(name), directory))
    .filter((found) => found !== undefined);
}

function signalAll(directory: string, signal: 'SIGINT' | 'SIGQUIT'): void {
  const found = serverProcesses(directory);
  const postmasters = found.filter((entry) => entry.isPostmaster);
  // Children follow their postmaster; without one they end by themselves and are only hurried.
  for (const { pid } of postmasters.length > 0 ? postmasters : found) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended in between, which is what was wanted.
    }
  }
}

async function waitUntilGone(directory: string): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (serverProcesses(directory).length > 0) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return true;
}

/**
 * Makes sure that no server works in `directory` and that nothing in it or in the socket's directory
 * says that one does. Throws `retry` when an old server cannot be stopped.
 */
export async function clearLeftovers(directory: string, socketDirectory: string): Promise<void> {
  const pid = pidOfFile(directory);
  if (pid !== undefined) {
    signalAll(directory, 'SIGINT');
    if (!(await waitUntilGone(directory))) {
      signalAll(directory, 'SIGQUIT');
      if (!(await waitUntilGone(directory))) {
        throw new TensorForgeError(
          'retry',
          `an old PostgreSQL (process ${pid}) still works in ${directory} and does not stop; ` +
            'stop that process and start again',
        );
      }
    }
  }
  rmSync(join(directory, 'postmaster.pid'), { force: true });
  for (const name of readdirSync(socketDirectory)) {
    if (name.startsWith('.s.PGSQL.')) rmSync(join(socketDirectory, name), { force: true });
  }
}
