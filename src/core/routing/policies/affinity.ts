// Policies that bring what belongs together to the same backend: requests with the same beginning,
// whose prompt it then has in its cache, and those of one session. Both use rendezvous hashing: every
// backend draws a number from (key, its id), and the highest draw has the key. A backend that comes or
// goes moves only the keys that it wins or had, and no thread shares anything with another
// (Thaler and Ravishankar 1998; bounded loads: Mirrokni, Thorup and Zadimoghaddam 2018; a second choice
// before load decides: Mitzenmacher 2001).

import { seededRandom } from '../../../base/random.ts';
import { behaviours } from '../../decisions/behaviour.ts';
import { drawOf } from '../rendezvous.ts';
import type { RoutingSettings } from '../snapshot.ts';
import { highest, loadOf } from './ranking.ts';
import { type Candidate, type Choice, figures, type RoutingPolicy } from './routing-policy.ts';

function rankByDraw(candidates: readonly Candidate[], key: number): void {
  for (const candidate of candidates) candidate.score = drawOf(key, candidate.target.id);
}

function rankByLoad(candidates: readonly Candidate[]): void {
  for (const candidate of candidates) candidate.score = -Math.round(loadOf(candidate) * 10_000);
}

/** Is the fleet so uneven that evening it out comes first? */
function isUneven(candidates: readonly Candidate[], settings: RoutingSettings): boolean {
  const { gateRequests, gateRatio } = settings.affinity;
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const { reading } of candidates) {
    least = Math.min(least, reading.pending);
    most = Math.max(most, reading.pending);
  }
  return most - least > gateRequests && most > gateRatio * least;
}

/** Requests that one backend may have in flight under the bound, this one among them. */
function boundOf(candidates: readonly Candidate[], factor: number): number {
  const all = candidates.reduce((sum, { reading }) => sum + reading.pending, 1);
  return Math.ceil((factor * all) / candidates.length);
}

/** The highest draw among those within the bound; there always is one. */
function highestWithin(candidates: readonly Candidate[], bound: number): number {
  let best = -1;
  for (let i = 0; i < candidates.length; i++) {
    const { score, reading } = candidates[i] as Candidate;
    if (reading.pending + 1 > bound) continue;
    if (best < 0 || score > (candidates[best] as Candidate).score) best = i;
  }
  return best;
}

/** The indices of the highest draw and of the next one; at least two candidates. */
function homesOf(candidates: readonly Candidate[]): readonly [number, number] {
  let first = 0;
  let second = -1;
  for (let i = 1; i < candidates.length; i++) {
    const { score } = candidates[i] as Candidate;
    if (score > (candidates[first] as Candidate).score) {
      second = first;
      first = i;
    } else if (second < 0 || score > (candidates[second] as Candidate).score) {
      second = i;
    }
  }
  return [first, second];
}

/**
 * The first of two homes that is within the bound, else the less loaded one while it is within the bound
 * of the squared factor, else the highest draw of all within the bound. With few requests in flight chance
 * alone takes a backend over the bound again and again; if load decided each time, every backend would
 * get a copy of every beginning, and none would still have what it is asked for.
 */
function ofTwoHomes(candidates: readonly Candidate[], factor: number): number {
  const [first, second] = homesOf(candidates);
  const bound = boundOf(candidates, factor);
  const inFirst = (candidates[first] as Candidate).reading.pending;
  const inSecond = (candidates[second] as Candidate).reading.pending;
  if (inFirst < bound) return first;
  if (inSecond < bound) return second;
  if (Math.min(inFirst, inSecond) < boundOf(candidates, factor * factor)) {
    return inSecond < inFirst ? second : first;
  }
  return highestWithin(candidates, bound);
}

/** Does the seed choose this decision to try another backend? */
function explores({ input, settings }: Choice): boolean {
  return seededRandom(input.seed).nextBelow(10_000) < settings.affinity.explorePercent * 100;
}

function anyOf(candidates: readonly Candidate[], seed: number): number {
  // Another draw than the one that said whether to explore.
  return seededRandom(seed ^ 0x5bd1e995).nextBelow(candidates.length);
}

/**
 * By the beginning of the prompt (`features.prefixKey`), unless the load is too uneven. 1 % of requests
 * go to any backend, so that a second one has the prompt when the first is gone.
 */
export const prefixAffinity: RoutingPolicy = {
  reads: 0,
  rank(candidates, { features, settings }) {
    const { prefixKey } = features;
    if (prefixKey === undefined || isUneven(candidates, settings)) rankByLoad(candidates);
    else rankByDraw(candidates, prefixKey);
  },
  pick(candidates, choice) {
    const { features, input, settings } = choice;
    if (features.prefixKey === undefined || isUneven(candidates, settings)) {
      return highest(candidates, input.cursor);
    }
    if (explores(choice)) return anyOf(candidates, input.seed);
    const { loadFactor } = settings.affinity;
    return choice.asOf >= behaviours.twoHomes
      ? ofTwoHomes(candidates, loadFactor)
      : highestWithin(candidates, boundOf(candidates, loadFactor));
  },
  reason({ target, score }, _index, { features }) {
    if (features.prefixKey === undefined || score <= 0) return `least_load:${target.name}`;
    return `prefix:${target.name}`;
  },
};

/** By the session that the client names (`features.affinityKey`); without one as in `smart`'s load term. */
export const sticky: RoutingPolicy = {
  reads: 0,
  rank(candidates, { features }) {
    if (features.affinityKey === undefined) rankByLoad(candidates);
    else rankByDraw(candidates, features.affinityKey);
  },
  pick: (candidates, { input }) => highest(candidates, input.cursor),
  reason: ({ target }, _index, { features }) =>
    features.affinityKey === undefined ? `least_load:${target.name}` : `session:${target.name}`,
};

/** In ms, what a request costs beyond its own latency where the model is not in memory. */
function swapMs({ target }: Candidate, { features, settings }: Choice): number {
  if (target.loadedModels === undefined) return 0;
  return target.loadedModels.includes(features.resolvedModel) ? 0 : settings.affinity.swapMs;
}

/** Where the model is in memory, unless waiting there costs more than loading it elsewhere. */
export const modelAffinity: RoutingPolicy = {
  reads: figures.peak,
  rank(candidates, choice) {
    for (const candidate of candidates) {
      const { peakMs, pending } = candidate.reading;
      const waitMs = Math.round(Math.max(peakMs, 1) * (pending + 1));
      candidate.score = -(waitMs + swapMs(candidate, choice));
    }
  },
  pick: (candidates, { input }) => highest(candidates, input.cursor),
  reason: (chosen, _index, choice) =>
    `${swapMs(chosen, choice) === 0 ? 'loaded' : 'swap'}:${chosen.target.name}`,
};
