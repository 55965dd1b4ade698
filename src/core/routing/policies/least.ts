// Policies of least load: in requests, in tokens, and by two draws.

import { seededRandom } from '../../../base/random.ts';
import { expectedTokens } from '../decision-input.ts';
import { highest, loadOf } from './ranking.ts';
import { type Candidate, figures, type RoutingPolicy } from './routing-policy.ts';

/** Requests that the engine works on: ours in flight, or what it tells itself if that is more. */
function requestsAt({ reading }: Candidate): number {
  return Math.max(reading.pending, reading.engineRequests);
}

/** Fewest requests in flight; where a capacity is known, the smallest share of it. */
export const leastInFlight: RoutingPolicy = {
  reads: figures.engine,
  rank(candidates) {
    for (const candidate of candidates) {
      const { capacity } = candidate.reading;
      const requests = requestsAt(candidate);
      candidate.score = -Math.round((requests * 100) / (capacity > 0 ? capacity : 100));
      if (capacity === 0) candidate.score = -requests;
    }
  },
  pick: (candidates, { input }) => highest(candidates, input.cursor),
  reason: ({ target, reading }) => `least_in_flight:${target.name}:${reading.pending}`,
};

/** What a full cache costs, research of gateways 5.3: 0.15 k / (1 - k) of the work. */
const cachePressure = 0.15;

/** Work that is there, in tokens, with what a filled key-value cache adds to it. */
function tokensAt({ reading }: Candidate, own: number): number {
  const { kvUse, tokens } = reading;
  const used = kvUse < 0 ? 0 : Math.min(kvUse, 0.99);
  return Math.round((tokens + own) * (1 + (cachePressure * used) / (1 - used)));
}

/** Fewest tokens of prompts and expected answers in flight: requests are not equal. */
export const leastTokens: RoutingPolicy = {
  reads: figures.tokens | figures.engine,
  rank(candidates, { features }) {
    const own = expectedTokens(features);
    for (const candidate of candidates) candidate.score = -tokensAt(candidate, own);
  },
  pick: (candidates, { input }) => highest(candidates, input.cursor),
  reason: ({ target, reading }) => `least_tokens:${target.name}:${reading.tokens}`,
};

/**
 * The less loaded of two that the seed draws: nearly as even as the least loaded of all, and threads
 * that decide on the same figures do not all run to the same backend (Mitzenmacher 2001).
 */
export const powerOfTwo: RoutingPolicy = {
  reads: 0,
  rank(candidates) {
    for (const candidate of candidates) candidate.score = -Math.round(loadOf(candidate) * 10_000);
  },
  pick(candidates, { input }) {
    const random = seededRandom(input.seed);
    const first = random.nextBelow(candidates.length);
    const step = 1 + random.nextBelow(candidates.length - 1);
    const second = (first + step) % candidates.length;
    const a = candidates[first] as Candidate;
    const b = candidates[second] as Candidate;
    return b.score > a.score ? second : first;
  },
  reason: ({ target, reading }) => `power_of_two:${target.name}:${reading.pending}`,
};
