// What capacity costs. Rows of the platform specification A.5 and its scenario E.3, in which the
// unit price of a thousand units was told as a thousand totals: multiplied where it is divided.

import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { isCount } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { amountBound, isAmount } from './money.ts';

/** Price factors by objective: the first line whose minutes are not exceeded, edges included. */
const objectiveFactors: readonly { readonly upToMinutes: number; readonly factor: number }[] = [
  { upToMinutes: 15, factor: 3 },
  { upToMinutes: 30, factor: 2 },
  { upToMinutes: 60, factor: 1.5 },
];

/** baseRate x class x factor of the objective (3, 2, 1.5 up to 15, 30, 60 minutes, else 1). */
export function estimateJobCost(
  priorityClass: number,
  sloMinutes: number,
  baseRate: number,
): number {
  const line = objectiveFactors.find(({ upToMinutes }) => sloMinutes <= upToMinutes);
  return baseRate * priorityClass * (line?.factor ?? 1);
}

/** total / quantity; a quantity of 0 costs 0. */
export function costPerUnit(total: number, quantity: number): number {
  return quantity === 0 ? 0 : total / quantity;
}

export type CostRequest = {
  /** USD. */
  readonly totalCost: number;
  readonly quantity: number;
};

export type CostEstimate = {
  readonly costPerUnit: number;
  /** costPerUnit x quantity: the given total up to rounding, and 0 for a quantity of 0. */
  readonly totalEstimate: number;
  readonly currency: 'USD';
};

/** The price of one unit of a total, or every field at fault with its bound. */
export function estimateCost(
  request: CostRequest,
): Result<CostEstimate, Fault<'invalid_cost_request'>> {
  const { totalCost, quantity } = request;
  const violations: Violation[] = [];
  if (!isAmount(totalCost)) {
    violations.push({ field: 'totalCost', value: totalCost, bound: amountBound });
  }
  if (!isCount(quantity)) {
    const bound = `a whole number within 0..${Number.MAX_SAFE_INTEGER}`;
    violations.push({ field: 'quantity', value: quantity, bound });
  }
  if (violations.length > 0) {
    return err(invalid('invalid_cost_request', 'cost estimate', violations));
  }
  const perUnit = costPerUnit(totalCost, quantity);
  return ok({ costPerUnit: perUnit, totalEstimate: perUnit * quantity, currency: 'USD' });
}
