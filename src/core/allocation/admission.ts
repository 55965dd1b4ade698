// Who gets capacity now: the most urgent candidates, as many as fit. Rows of the specification A.5.

import { compareNumbers, compareText } from '../../base/compare.ts';
import { ok, type Result } from '../../base/result.ts';
import {
  type CandidateFault,
  compareCandidates,
  type PlacementCandidate,
  validateBatch,
} from './candidate.ts';

/** What became of a batch; together both hold each candidate once. */
export type AdmissionPlan = {
  /** Most urgent first. */
  readonly planned: readonly PlacementCandidate[];
  /** In the order of the input. */
  readonly rejected: readonly PlacementCandidate[];
};

export type WeightedCandidate = {
  readonly id: string;
  readonly urgency: number;
  readonly weight: number;
};

export type ScoredCandidate = { readonly id: string; readonly score: number };

/** The first `capacity` items, fractions of it cut off; none for 0, less, or NaN. */
function firstOf<T>(items: readonly T[], capacity: number): readonly T[] {
  return capacity > 0 ? items.slice(0, capacity) : [];
}

/**
 * The `capacity` first candidates by {@link compareCandidates}. Those with NaN cannot be ranked and
 * are left out (specification 0.3).
 */
export function admit(
  candidates: readonly PlacementCandidate[],
  capacity: number,
): readonly PlacementCandidate[] {
  const rankable = candidates.filter(
    ({ urgency, etaMinutes }) => !Number.isNaN(urgency) && !Number.isNaN(etaMinutes),
  );
  return firstOf(rankable.sort(compareCandidates), capacity);
}

/**
 * Splits a valid batch into those admitted and the others. Refuses the whole batch when a candidate
 * is invalid or an id occurs twice: a plan by id would be ambiguous.
 */
export function planBatch(
  candidates: readonly PlacementCandidate[],
  capacity: number,
): Result<AdmissionPlan, CandidateFault> {
  const valid = validateBatch(candidates);
  if (!valid.ok) return valid;
  const planned = admit(candidates, capacity);
  const plannedIds = new Set(planned.map(({ id }) => id));
  return ok({ planned, rejected: candidates.filter(({ id }) => !plannedIds.has(id)) });
}

/**
 * The first `capacity` by urgency x weight descending, then id ascending. Scores that are NaN
 * cannot be ranked and are left out.
 */
export function admitWeighted(
  candidates: readonly WeightedCandidate[],
  capacity: number,
): readonly ScoredCandidate[] {
  const scored = candidates
    .map(({ id, urgency, weight }) => ({ id, score: urgency * weight }))
    .filter(({ score }) => !Number.isNaN(score));
  scored.sort((a, b) => compareNumbers(b.score, a.score) || compareText(a.id, b.id));
  return firstOf(scored, capacity);
}
