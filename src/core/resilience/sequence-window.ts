// Parts of a history by sequence, and its order. Windows are closed on both ends (RD5): adjoining
// windows are [a, b] and [b + 1, c]. Nothing here drops an event for another: keep rules (RD7) are
// those of replay.ts.

import { compareReplayEvents, type ReplayEvent } from './replay-event.ts';

/** min <= sequence <= max, both inclusive, in input order; empty when min > max. */
export function inSequenceWindow<E extends ReplayEvent>(
  events: readonly E[],
  min: number,
  max: number,
): readonly E[] {
  return events.filter(({ sequence }) => sequence >= min && sequence <= max);
}

/** The same window, ascending by sequence, then id. */
export function orderedSequenceWindow<E extends ReplayEvent>(
  events: readonly E[],
  min: number,
  max: number,
): readonly E[] {
  return orderBySequence(inSequenceWindow(events, min, max));
}

/** Ascending by sequence, then id; stable, the input is left alone. */
export function orderBySequence<E extends ReplayEvent>(events: readonly E[]): readonly E[] {
  return events.toSorted(compareReplayEvents);
}

/** The order in which a delivered batch is applied: ascending, and reversed by nobody. */
export function processReplayBatch<E extends ReplayEvent>(batch: readonly E[]): readonly E[] {
  return orderBySequence(batch);
}
