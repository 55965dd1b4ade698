// The picks that several policies share.

import type { Candidate } from './routing-policy.ts';

/** Share of the capacity in use where it is known, else requests in flight over a hundred: 0 and more. */
export function loadOf({ reading }: Candidate): number {
  const { pending, capacity } = reading;
  return capacity > 0 ? pending / capacity : pending / 100;
}

/**
 * The index of the highest score; among equals the one with fewest requests in flight, and among those
 * that are level in both the cursor goes round.
 */
export function highest(candidates: readonly Candidate[], cursor: number): number {
  let best = 0;
  let ties = 1;
  for (let i = 1; i < candidates.length; i++) {
    const a = candidates[i] as Candidate;
    const b = candidates[best] as Candidate;
    if (a.score > b.score || (a.score === b.score && a.reading.pending < b.reading.pending)) {
      best = i;
      ties = 1;
    } else if (a.score === b.score && a.reading.pending === b.reading.pending) {
      ties++;
    }
  }
  return ties === 1 ? best : nthLevel(candidates, best, cursor % ties);
}

/** The index of the candidate after `skip` others that are level with the one at `best`. */
function nthLevel(candidates: readonly Candidate[], best: number, skip: number): number {
  const top = candidates[best] as Candidate;
  let left = skip;
  for (let i = 0; i < candidates.length; i++) {
    const { score, reading } = candidates[i] as Candidate;
    if (score !== top.score || reading.pending !== top.reading.pending) continue;
    if (left === 0) return i;
    left--;
  }
  return best;
}
