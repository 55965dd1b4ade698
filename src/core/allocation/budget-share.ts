// A budget shared out by urgency, to the cent. Rounding each share for itself can lose or invent
// cents; so everyone first gets the whole cents of the exact share, and the cents that remain go to
// the largest remainders (Hamilton's method; platform specification A.5, decision).
//
//   B1  The shares, in cents, sum to the budget in cents, unless every urgency is 0.
//   B2  The answer is in the order of the input, but a share does not depend on that order.

import { assert } from '../../base/assert.ts';
import { compareNumbers, compareText } from '../../base/compare.ts';
import { type Fault, invalid } from '../../base/fault.ts';
import { roundHalfAway } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { sumOf } from '../statistics/sum.ts';
import { type CandidateFault, type PlacementCandidate, validateBatch } from './candidate.ts';
import { amountBound, isAmount } from './money.ts';

/** `share` is in the currency of the budget and has at most two decimals. */
export type BudgetShare = { readonly id: string; readonly share: number };

type Quota = { readonly id: string; readonly cents: number; readonly remainder: number };

/** Summed in the order of ids, since a sum of fractions can depend on its order (B2). */
function totalUrgency(candidates: readonly PlacementCandidate[]): number {
  const byId = candidates.toSorted((a, b) => compareText(a.id, b.id));
  return sumOf(byId.map(({ urgency }) => urgency));
}

/**
 * The whole cents and the remainder of cents x urgency / total. Exact while cents x urgency is
 * below 2^53. Beyond, the share is off by a few parts in 2^53, far less than a cent of the largest
 * amount: a remainder may then be taken for another's, but the whole cents never sum to more than
 * there are.
 */
function quotaOf(candidate: PlacementCandidate, cents: number, total: number): Quota {
  const product = cents * candidate.urgency;
  const remainder = product % total;
  return { id: candidate.id, cents: Math.round((product - remainder) / total), remainder };
}

/** The ids that get one more cent, so that the quotas sum to `cents`. */
function largestRemainders(quotas: readonly Quota[], cents: number): ReadonlySet<string> {
  const left = quotas.reduce((rest, quota) => rest - quota.cents, cents);
  assert(left >= 0 && left <= quotas.length, `B1: ${left} cents left over ${quotas.length} shares`);
  const byRemainder = quotas.toSorted(
    (a, b) => compareNumbers(b.remainder, a.remainder) || compareText(a.id, b.id),
  );
  return new Set(byRemainder.slice(0, left).map(({ id }) => id));
}

/**
 * urgency / total urgency x budget for each candidate, in cents that sum to the budget (itself
 * rounded to cents) exactly; equal remainders are served by id. Empty: []. All urgencies 0: all 0.
 * Refuses a budget that is no amount ({@link isAmount}), an invalid candidate and a repeated id.
 */
export function shareBudget(
  candidates: readonly PlacementCandidate[],
  budget: number,
): Result<readonly BudgetShare[], CandidateFault | Fault<'invalid_budget'>> {
  if (!isAmount(budget)) {
    const violation = { field: 'budget', value: budget, bound: amountBound };
    return err(invalid('invalid_budget', 'share of a budget', [violation]));
  }
  const valid = validateBatch(candidates);
  if (!valid.ok) return valid;
  const total = totalUrgency(candidates);
  if (total === 0) return ok(candidates.map(({ id }) => ({ id, share: 0 })));
  const cents = roundHalfAway(budget * 100);
  const quotas = candidates.map((candidate) => quotaOf(candidate, cents, total));
  const favoured = largestRemainders(quotas, cents);
  const centsOf = (quota: Quota): number => quota.cents + (favoured.has(quota.id) ? 1 : 0);
  return ok(quotas.map((quota) => ({ id: quota.id, share: centsOf(quota) / 100 })));
}
