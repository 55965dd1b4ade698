// What a process has kept the processor busy for. Unlike time on a clock it does not grow while the
// machine stands still or works for somebody else.

import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second for every program (USER_HZ). */
const msPerTick = 10;

/** User and system time of all threads of `pid` so far, ms in steps of 10. Linux only. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, in parentheses, may hold anything; utime and stime are the 12th and 13th behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}
