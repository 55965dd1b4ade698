// Policies that choose by no figure of the backends: turns, weighted turns, and a fair draw. The first two
// tell the smart score beside their choice, as they always did.

import { seededRandom } from '../../../base/random.ts';
import type { Candidate, Choice, RoutingPolicy } from './routing-policy.ts';
import { smart } from './smart.ts';

/** One after the other in the order of ids. */
export const roundRobin: RoutingPolicy = {
  reads: 0,
  rank: smart.rank,
  pick: (candidates, { input }) => input.cursor % candidates.length,
  reason: (_chosen, index) => `round_robin:index_${index}`,
};

/** Each with the same chance, by the seed of the decision. */
export const randomDraw: RoutingPolicy = {
  reads: 0,
  rank: smart.rank,
  pick: (candidates, { input }) => seededRandom(input.seed).nextBelow(candidates.length),
  reason: ({ target }) => `random:${target.name}`,
};

/** What a backend without an entry in `routing.backend_weights` weighs. */
export const defaultWeight = 1;

function weightOf({ target }: Candidate, { settings }: Choice): number {
  const { backendWeights } = settings;
  return Object.hasOwn(backendWeights, target.id)
    ? (backendWeights[target.id] ?? defaultWeight)
    : defaultWeight;
}

/**
 * Whose turn number `turn` is, of 0 to the sum of the weights less 1, when each gets as many turns as it
 * weighs, spread as evenly as whole turns allow: the k-th turn of weight w stands at (k + 1/2) / w, and
 * turns are taken in the order of those places, equal ones in the order of the list. So every run of
 * turns is within one of the exact share of each, as in smooth weighted round robin, and no state but
 * the number of the turn is kept. Weights are whole numbers of 0 or more, at least one above 0.
 */
export function turnOf(weights: readonly number[], turn: number): number {
  // The place of the turn lies between these two; counting those below is monotone in the place.
  let low = 0;
  let high = 1;
  for (let step = 0; step < 32; step++) {
    const middle = (low + high) / 2;
    if (turnsBefore(weights, middle) <= turn) low = middle;
    else high = middle;
  }
  // `turnsBefore(low)` <= turn < `turnsBefore(high)`: the owners of the places between are told apart in order.
  let left = turn - turnsBefore(weights, low);
  for (let i = 0; i < weights.length; i++) {
    const own = countBefore(weights[i] ?? 0, high) - countBefore(weights[i] ?? 0, low);
    if (left < own) return i;
    left -= own;
  }
  return weights.findIndex((weight) => weight > 0);
}

/** How many places (k + 1/2) / weight, k = 0 .. weight - 1, lie below `place`. */
function countBefore(weight: number, place: number): number {
  return Math.min(weight, Math.max(0, Math.ceil(place * weight - 0.5)));
}

function turnsBefore(weights: readonly number[], place: number): number {
  let count = 0;
  for (const weight of weights) count += countBefore(weight, place);
  return count;
}

/** In proportion to `routing.backend_weights`, evenly spread; a weight of 0 takes nothing. */
export const weighted: RoutingPolicy = {
  reads: 0,
  rank(candidates, choice) {
    for (const candidate of candidates) candidate.score = weightOf(candidate, choice);
  },
  pick(candidates, { input }) {
    const weights = candidates.map(({ score }) => score);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    // A fleet of nothing but zeros is refused by the stage `weight` before it comes here.
    return sum === 0 ? 0 : turnOf(weights, input.cursor % sum);
  },
  reason: ({ target, score }) => `weighted:${target.name}:${score}`,
};
