// Small rules about failing and recovering (platform specification A.10). Predicates given NaN answer
// false.

import { compareText } from '../../base/compare.ts';
import { saturatingDifference } from '../../base/numbers.ts';

/** errors / total >= threshold, equality included; false without any call. */
export function shouldTrip(errors: number, total: number, threshold: number): boolean {
  return total > 0 && errors / total >= threshold;
}

/** How many calls may try a half-open breaker at once: `base`, not one more. */
export function halfOpenProbes(base: number): number {
  return base;
}

/** now - last > window, in one unit; at equality the failure is still inside. */
export function failureWindowExpired(last: number, now: number, window: number): boolean {
  return saturatingDifference(now, last) > window;
}

/** successes / (successes + failures); 0 without any outcome. */
export function recoveryRate(successes: number, failures: number): number {
  const outcomes = successes + failures;
  return outcomes === 0 ? 0 : successes / outcomes;
}

/** used < max. */
export function bulkheadHasPermit(used: number, max: number): boolean {
  return used < max;
}

/** now - enteredAt in the unit of both, 0 when the clock went back. */
export function stateDuration(enteredAt: number, now: number): number {
  return saturatingDifference(now, enteredAt);
}

export type FallbackCandidate = {
  readonly name: string;
  /** Higher is better; a candidate with NaN has no rank and is left out. */
  readonly reliability: number;
};

/** Names by reliability descending, ties by name. */
export function fallbackOrder(candidates: readonly FallbackCandidate[]): readonly string[] {
  return candidates
    .filter(({ reliability }) => !Number.isNaN(reliability))
    .sort((a, b) => compareDescending(a.reliability, b.reliability) || compareText(a.name, b.name))
    .map(({ name }) => name);
}

/** Also right for two equal infinities, whose difference is NaN. */
function compareDescending(a: number, b: number): number {
  return a === b ? 0 : b > a ? 1 : -1;
}

/** Is any dependency unhealthy? False without dependencies. */
export function cascadeRisk(healthy: readonly boolean[]): boolean {
  return healthy.includes(false);
}
