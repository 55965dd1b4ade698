// When will a job be done? A row of the platform specification A.7.

import { unbounded } from '../../base/numbers.ts';

/**
 * Minutes for `work` units at a rate in units per hour. A rate of 0 or less never ends: the
 * unbounded sentinel, which is also the most that any other rate gives.
 */
export function completionMinutes(work: number, ratePerHour: number): number {
  if (ratePerHour <= 0) return unbounded;
  return Math.min(unbounded, (work / ratePerHour) * 60);
}
