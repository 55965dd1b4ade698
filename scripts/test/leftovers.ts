// Finds and ends processes that a test run left behind. Everything a run starts inherits one
// environment variable with the run's own mark, so the search finds daemons too, which a process
// group would miss, and can never touch a process of anybody else. Linux only: elsewhere there is
// no /proc and the process group has to do.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export const markVariable = 'TENSORFORGE_TEST_RUN';

export type Leftover = { readonly pid: number; readonly command: string };

/** Running processes that carry `mark`, without this one. Zombies have no environment. */
export function markedProcesses(mark: string): readonly Leftover[] {
  const needle = `${markVariable}=${mark}`;
  const found: Leftover[] = [];
  for (const name of readProc()) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    if (!readQuietly(`/proc/${pid}/environ`).split('\0').includes(needle)) continue;
    const command = readQuietly(`/proc/${pid}/cmdline`).split('\0').join(' ').trim();
    found.push({ pid, command: command.slice(0, 200) });
  }
  return found;
}

/**
 * Waits up to `graceMs` for what is marked to end by itself, then kills the rest by id.
 * Returns what had to be killed.
 */
export async function endMarked(mark: string, graceMs: number): Promise<readonly Leftover[]> {
  const deadline = performance.now() + graceMs;
  let alive = markedProcesses(mark);
  while (alive.length > 0 && performance.now() < deadline) {
    await delay(100);
    alive = markedProcesses(mark);
  }
  for (const { pid } of alive) killQuietly(pid, 'SIGKILL');
  return alive;
}

/** Signals a process, or a whole group when `pid` is negative, that may be gone already. */
export function killQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return;
    throw error;
  }
}

function readProc(): readonly string[] {
  try {
    return readdirSync('/proc');
  } catch {
    return [];
  }
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process ended meanwhile, or belongs to somebody else.
    return '';
  }
}
