// How one of several able backends is chosen (platform specification D.4): a policy ranks the candidates
// that the stages of decide.ts left over, and picks one of them.
//
//   filter (decide.ts)  ->  rank: a score for each candidate  ->  pick: the index of the chosen one
//
//   P1  A policy is a pure function of the candidates, the features, the cursor and the seed: it reads
//       no clock, no chance and nothing that the decision record does not hold.
//   P2  Its score is what it compares, more is better, so that "why not that one" can be told from it.
//   P3  It names the figures that it reads beyond the usual ones; only those are read and written down.

import type { DecideInput, Reading, RouteFeatures } from '../decision-input.ts';
import type { RoutingSettings, Target } from '../snapshot.ts';

/** A backend that could serve the request, while it is ranked. */
export type Candidate = {
  readonly target: Target;
  readonly reading: Reading;
  /** Set by `rank`; more is better. */
  score: number;
};

export type Choice = {
  readonly features: RouteFeatures;
  readonly input: DecideInput;
  readonly settings: RoutingSettings;
  /** The behaviour to decide by (`core/decisions/behaviour.ts`). */
  readonly asOf: number;
};

/** Figures beyond those that every decision reads, as bits. */
export const figures = { peak: 1, tokens: 2, engine: 4 } as const;

export interface RoutingPolicy {
  /** Bits of {@link figures}. */
  readonly reads: number;
  /** Gives every candidate its score; at least one, in the order of their ids. */
  rank(candidates: readonly Candidate[], choice: Choice): void;
  /** The index of the chosen one; at least two candidates, ranked. */
  pick(candidates: readonly Candidate[], choice: Choice): number;
  /** Why this one, in the words of the log: `round_robin:index_2`. Of at least two candidates. */
  reason(chosen: Candidate, index: number, choice: Choice): string;
}
