// The default: priority, load and latency weighed against each other (registry specification 12).
//
//   score = weights x (priority, load, latency terms), 0 to 10 000
//           halved for an open zone once the month's soft limit is reached
//           less up to all of it where the first byte takes longer than `quality.ttft_penalty_ms`

import { smartScore } from '../score.ts';
import { highest } from './ranking.ts';
import type { Candidate, Choice, RoutingPolicy } from './routing-policy.ts';

function scoreOf({ target, reading }: Candidate, { settings, input }: Choice): number {
  const { priority } = target;
  const { pending, capacity, latencyMs } = reading;
  let score = smartScore({ priority, pending, capacity, latencyMs }, settings.weights);
  if (input.budget === 'SoftLimit' && target.zone === 'open') score = Math.floor(score / 2);
  const thresholdMs = settings.quality.ttftPenaltyMs;
  if (thresholdMs > 0 && latencyMs > thresholdMs) {
    const over = Math.min((latencyMs - thresholdMs) / thresholdMs, 1);
    score = Math.max(0, score - Math.trunc(score * over));
  }
  return score;
}

export const smart: RoutingPolicy = {
  reads: 0,
  rank(candidates, choice) {
    for (const candidate of candidates) candidate.score = scoreOf(candidate, choice);
  },
  pick: (candidates, { input }) => highest(candidates, input.cursor),
  reason: ({ target, score }) => `highest_score:${target.name}:${(score / 100).toFixed(2)}`,
};

/** The lowest number of priority; ties as in `smart`. */
export const priorityOnly: RoutingPolicy = {
  reads: 0,
  rank(candidates) {
    for (const candidate of candidates) candidate.score = -candidate.target.priority;
  },
  pick: (candidates, { input }) => highest(candidates, input.cursor),
  reason: ({ target }) => `priority:${target.name}:${target.priority}`,
};
