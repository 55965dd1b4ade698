// How long a deployment takes until it serves. A row of the platform specification A.5.

import { ceilDivide } from '../../base/numbers.ts';

const shardsPerHour = 500;

/** What isolated tenancy multiplies the warm-up by. */
const isolationFactor = 1.5;

/** Hours: one per 500 shards begun, at least 1; an isolated deployment takes half as long again. */
export function warmupHours(shards: number, isolated: boolean): number {
  const hours = Math.max(1, ceilDivide(shards, shardsPerHour));
  return isolated ? hours * isolationFactor : hours;
}
