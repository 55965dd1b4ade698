// How long will it take to serve what waits? Platform specification A.9.

import { unbounded } from '../../base/numbers.ts';

/** Units of time until `depth` items are served at `ratePerUnit`; without a rate, unbounded. */
export function estimateWait(depth: number, ratePerUnit: number): number {
  return ratePerUnit <= 0 ? unbounded : Math.min(unbounded, depth / ratePerUnit);
}

/** The same, weighted: 0.5 waits half as long. Without a rate or a weight, unbounded. */
export function weightedWait(depth: number, ratePerUnit: number, weight: number): number {
  if (ratePerUnit <= 0 || weight <= 0) return unbounded;
  return Math.min(unbounded, (depth / ratePerUnit) * weight);
}
