// Parts a whole number among several, so that the parts are whole and sum to it: largest remainders
// (the method of Hamilton).

import { compareNumbers } from '../../base/compare.ts';

/**
 * The share of each weight, in their order. `total` is a whole number of 0 or more, weights are 0 or
 * more; where all are 0 they count as equal. Among equal remainders the earlier one gets the unit.
 */
export function sharesOf(total: number, weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  const exact = weights.map((weight) =>
    sum === 0 ? total / weights.length : (total * weight) / sum,
  );
  const shares = exact.map(Math.floor);
  const left = total - shares.reduce((all, share) => all + share, 0);
  const order = exact
    .map((share, place) => ({ place, rest: share - Math.floor(share) }))
    .sort((a, b) => compareNumbers(b.rest, a.rest) || compareNumbers(a.place, b.place));
  for (const { place } of order.slice(0, Math.max(0, left))) {
    shares[place] = (shares[place] ?? 0) + 1;
  }
  return shares;
}
