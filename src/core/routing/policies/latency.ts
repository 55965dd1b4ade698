// The lowest expected latency: peak EWMA of the time to the first byte, times the requests in flight
// and this one (Finagle's balancer). A backend that was never measured starts from the median of those
// that were, or from 100 ms, so that a new one is neither flooded nor left out (ruling 23).

import { selectRoute } from '../route.ts';
import { type Candidate, figures, type RoutingPolicy } from './routing-policy.ts';

/** Where nobody was measured yet, ms. */
const unmeasuredMs = 100;
const nobody: ReadonlySet<string> = new Set();

/** The middle one of the measured candidates, the lower of two; ms. */
function medianMs(candidates: readonly Candidate[]): number {
  const measured = candidates.map(({ reading }) => reading.peakMs).filter((ms) => ms > 0);
  if (measured.length === 0) return unmeasuredMs;
  measured.sort((a, b) => a - b);
  return measured[(measured.length - 1) >> 1] ?? unmeasuredMs;
}

/** What the request would wait at each, whole ms, in their order. */
export function expectedMs(candidates: readonly Candidate[]): readonly number[] {
  const median = medianMs(candidates);
  return candidates.map(({ reading: { peakMs, pending } }) =>
    Math.round((peakMs > 0 ? peakMs : median) * (pending + 1)),
  );
}

export const latency: RoutingPolicy = {
  reads: figures.peak,
  rank(candidates) {
    const expected = expectedMs(candidates);
    candidates.forEach((candidate, i) => {
      candidate.score = -(expected[i] ?? 0);
    });
  },
  pick(candidates) {
    const routes = candidates.map(({ target, score }) => ({
      endpoint: target.id,
      latencyMs: Math.abs(score),
    }));
    const chosen = selectRoute(routes, nobody);
    return candidates.findIndex(({ target }) => target.id === chosen?.endpoint);
  },
  reason: ({ target, score }) => `lowest_latency:${target.name}:${Math.abs(score)}`,
};
