// Replay: the state that a history of events amounts to. Whatever the order, grouping and number of
// deliveries, the same set of events gives the same state, down to the bytes of its canonical text.
//
// Four keep rules exist on purpose (RD7). Those of this file, by call site:
//   replay, compact, replayConverges   the *highest sequence* of each id: the state now
//   dedupeFirst                        the *first arrival* of each id: what delivery keeps
// The other two live with timelines: audit keeps the earliest timestamp, a merge the first stream.
//
// What holds of `replay` (platform specification F.1)
//   RD1  It is the same for every permutation of the events.
//   RD2  It is idempotent, and delivering an event twice changes nothing.
//   RD3  Replaying parts first, in whatever grouping, and then together gives the same.
//   RD6  replay(compact(E)) = replay(E), and a state plus its pending events is the whole replay.

import { canonicalJson } from '../../base/canonical.ts';
import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import {
  compareReplayEvents,
  findUnsafeSequence,
  type ReplayEvent,
  type UnsafeSequence,
} from './replay-event.ts';

export type ReplayFault = UnsafeSequence | Fault<'replay_tampered'>;

/** The payload alone: id and sequence are compared before. Absent is not the same as null. */
function payloadText(event: ReplayEvent): string {
  return canonicalJson({ payload: event.payload });
}

/** The first of the sorted events that says something else than its twin before it. */
function tampering(sorted: readonly ReplayEvent[]): ReplayFault | undefined {
  for (const [i, event] of sorted.entries()) {
    const twin = sorted[i - 1];
    if (twin === undefined || compareReplayEvents(twin, event) !== 0) continue;
    if (payloadText(twin) === payloadText(event)) continue;
    const place = `event ${event.id} at sequence ${event.sequence}`;
    return fault(
      'replay_tampered',
      `${place} occurs with different payloads, but may have only one`,
    );
  }
  return undefined;
}

/**
 * Per id the event with the highest sequence, ascending by sequence, then id; the order of the
 * input does not matter. Refuses `replay_tampered` when one (id, sequence) has two payloads, even if
 * a later event supersedes it: then nothing of the history can be trusted. O(n log n).
 */
export function replay(
  events: readonly ReplayEvent[],
): Result<readonly ReplayEvent[], ReplayFault> {
  const unsafe = findUnsafeSequence(events);
  if (unsafe !== undefined) return err(unsafe);
  const sorted = events.toSorted(compareReplayEvents);
  const tampered = tampering(sorted);
  if (tampered !== undefined) return err(tampered);
  const newest = new Map<string, ReplayEvent>();
  for (const event of sorted) {
    // Deleted first, so that the map iterates in the order of the events that stay.
    newest.delete(event.id);
    newest.set(event.id, event);
  }
  return ok([...newest.values()]);
}

/**
 * The events that a store must keep so that its replay stays what it was (RD6): the superseded ones
 * go. This is `replay` under the name of its other use; a compacted history has gaps in its
 * sequences, so look for gaps before.
 */
export function compact(
  events: readonly ReplayEvent[],
): Result<readonly ReplayEvent[], ReplayFault> {
  return replay(events);
}

/** Do both histories amount to the same state (RD3)? A history that replay refuses never does. */
export function replayConverges(a: readonly ReplayEvent[], b: readonly ReplayEvent[]): boolean {
  const states = [replay(a), replay(b)].map((state) =>
    state.ok ? stateText(state.value) : undefined,
  );
  return states[0] !== undefined && states[0] === states[1];
}

function stateText(state: readonly ReplayEvent[]): string {
  return canonicalJson(state.map(({ id, sequence, payload }) => ({ id, sequence, payload })));
}

/** The first arrival of each id, in input order: de-duplication of deliveries, not of states. */
export function dedupeFirst<E extends ReplayEvent>(events: readonly E[]): readonly E[] {
  const seen = new Set<string>();
  return events.filter(({ id }) => {
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

/** Those whose sequence is not among the applied ones, in input order. */
export function pendingEvents<E extends ReplayEvent>(
  events: readonly E[],
  appliedSequences: ReadonlySet<number>,
): readonly E[] {
  return events.filter(({ sequence }) => !appliedSequences.has(sequence));
}
