// Replay that says when it does not have everything (regression case E.5, row 8). A state made from a
// history with holes looks like any other state; whoever trains on it must be told. So the result is
// one of two kinds, and the events of an incomplete one come only together with its gaps.
//
// Keep rule (RD7): the highest sequence of each id, as in `replay`. Gaps are counted in sequences;
// silences in time belong to the timelines of core/events. Give the raw history: compaction leaves
// gaps on purpose.

import { compareNumbers } from '../../base/compare.ts';
import { type Fault, invalid } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type ReplayFault, replay } from './replay.ts';
import { findUnsafeSequence, type ReplayEvent } from './replay-event.ts';
import { inSequenceWindow } from './sequence-window.ts';

/** Sequences `from` to `to`, both inclusive. */
export type SequenceRange = { readonly from: number; readonly to: number };

export type GapAwareReplay =
  | { readonly kind: 'complete'; readonly events: readonly ReplayEvent[] }
  | {
      readonly kind: 'incomplete';
      readonly events: readonly ReplayEvent[];
      /** Every longest run of missing sequences, ascending; never empty. */
      readonly gaps: readonly SequenceRange[];
    };

/** The runs of sequences of `range` that no event has, ascending. */
function missingSequences(
  events: readonly ReplayEvent[],
  range: SequenceRange,
): readonly SequenceRange[] {
  const gaps: SequenceRange[] = [];
  let expected = range.from;
  for (const sequence of events.map((event) => event.sequence).sort(compareNumbers)) {
    if (sequence > expected) gaps.push({ from: expected, to: sequence - 1 });
    expected = sequence + 1;
  }
  if (expected <= range.to) gaps.push({ from: expected, to: range.to });
  return gaps;
}

/**
 * The replay of the events within `range`, and every hole in it. A range with from > to asks for
 * nothing and is complete. Refuses bounds that are not safe integers, and what `replay` refuses.
 */
export function replayWithGaps(
  events: readonly ReplayEvent[],
  range: SequenceRange,
): Result<GapAwareReplay, ReplayFault | Fault<'invalid_replay_window'>> {
  const violations = (['from', 'to'] as const)
    .filter((field) => !Number.isSafeInteger(range[field]))
    .map((field) => ({ field, value: range[field], bound: 'a safe integer' }));
  if (violations.length > 0) {
    return err(invalid('invalid_replay_window', 'replay window', violations));
  }
  // Before the window, which would drop an event that it cannot place without a word.
  const unsafe = findUnsafeSequence(events);
  if (unsafe !== undefined) return err(unsafe);
  const wanted = inSequenceWindow(events, range.from, range.to);
  const state = replay(wanted);
  if (!state.ok) return state;
  const gaps = missingSequences(wanted, range);
  if (gaps.length === 0) return ok({ kind: 'complete', events: state.value });
  return ok({ kind: 'incomplete', events: state.value, gaps });
}
