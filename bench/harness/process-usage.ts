// What a process has used, read from /proc. Linux only, as the benchmarks are.
import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU time of all living threads of a process in nanoseconds, user and system together. The
 * scheduler's own clock is read, because the ticks of /proc/PID/stat are 10 ms coarse. A thread
 * that ends takes its time with it, so the difference of two readings is right only for processes
 * that keep their threads, which gateways and proxies do.
 */
export function cpuTimeNs(pid: number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    sum += threadTimeNs(`/proc/${pid}/task/${task}/schedstat`);
  }
  return sum;
}

function threadTimeNs(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8').split(' ')[0]);
  } catch (error) {
    // The thread ended between the listing and the reading.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}

/** Resident memory in bytes (VmRSS). */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (line === null) throw new Error(`process ${pid} has no VmRSS`);
  return Number(line[1]) * 1024;
}
