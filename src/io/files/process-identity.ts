// Which process is this? A pid alone is not an answer, because pids are used again. A pid together
// with the moment its process started (and the boot it happened in) names one process for ever.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** Fields 3 and 22 of /proc/PID/stat; the name in field 2 may hold blanks and parentheses. */
function linuxStart(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  // A zombie holds nothing any more; it only waits to be reaped.
  if (state === 'Z' || state === 'X') return undefined;
  return `${bootId()}:${fields[19] ?? ''}`;
}

function portableStart(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const [state = '', ...start] = text.split(/\s+/);
    return text === '' || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}

/** When the process started, as opaque text; undefined when no such process runs. */
export function processStart(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return process.platform === 'linux' ? linuxStart(pid) : portableStart(pid);
}

/** Is the process that had this pid and this start still running? */
export function isSameProcess(pid: number, start: string): boolean {
  return processStart(pid) === start;
}
