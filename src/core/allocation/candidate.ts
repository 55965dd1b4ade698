// A placement candidate: a job that asks for a slot, with how urgent it is and when it would start.
// Which of two comes first, and which are not worth comparing. Rows of the specification A.5.

import { compareNumbers, compareText } from '../../base/compare.ts';
import { type Fault, fault, invalid, type Violation } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';

export type PlacementCandidate = {
  readonly id: string;
  /** Higher is more urgent; 0 to 2^53 - 1, fractions allowed. */
  readonly urgency: number;
  /** Expected start or completion in minutes from now. */
  readonly etaMinutes: number;
};

export type CandidateFault = Fault<'invalid_candidate' | 'duplicate_candidate'>;

/**
 * Urgency descending, then estimate ascending, then id: a total order over valid candidates of
 * distinct ids. NaN has no place in it.
 */
export function compareCandidates(a: PlacementCandidate, b: PlacementCandidate): number {
  return (
    Math.sign(compareNumbers(b.urgency, a.urgency)) ||
    Math.sign(compareNumbers(a.etaMinutes, b.etaMinutes)) ||
    compareText(a.id, b.id)
  );
}

/**
 * The candidate, or every field at fault: id not empty, urgency within 0..2^53 - 1. The documents
 * do not bound the estimate, so any finite one passes (0.3: no validator lets NaN through).
 */
export function validateCandidate(
  candidate: PlacementCandidate,
): Result<PlacementCandidate, Fault<'invalid_candidate'>> {
  const { id, urgency, etaMinutes } = candidate;
  const violations: Violation[] = [];
  if (id === '') violations.push({ field: 'id', value: id, bound: 'not empty' });
  if (!(urgency >= 0 && urgency <= Number.MAX_SAFE_INTEGER)) {
    const bound = `within 0..${Number.MAX_SAFE_INTEGER}`;
    violations.push({ field: 'urgency', value: urgency, bound });
  }
  if (!Number.isFinite(etaMinutes)) {
    violations.push({ field: 'etaMinutes', value: etaMinutes, bound: 'a finite number' });
  }
  if (violations.length === 0) return ok(candidate);
  return err(invalid('invalid_candidate', `candidate "${id}"`, violations));
}

/** The batch, or the fault of the first invalid candidate, or else of the first repeated id. */
export function validateBatch(
  candidates: readonly PlacementCandidate[],
): Result<readonly PlacementCandidate[], CandidateFault> {
  for (const candidate of candidates) {
    const valid = validateCandidate(candidate);
    if (!valid.ok) return valid;
  }
  const ids = new Set<string>();
  for (const { id } of candidates) {
    if (ids.has(id)) {
      return err(fault('duplicate_candidate', `candidate "${id}" is in the batch more than once`));
    }
    ids.add(id);
  }
  return ok(candidates);
}
