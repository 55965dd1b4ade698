// Which record stays when an id comes more than once, and what comes first when two timelines meet
// (platform specification A.3). The keep rules differ on purpose (rule RD7):
//
//   dedupeKeepEarliest   the audit timeline: the smallest timestamp, because the original record is
//                        evidence and later versions may be tampered with
//   mergeDedupe          stream merge: the first stream, and within it the first occurrence
//
// The other two of the rule, highest sequence and first arrival, belong to replay.

import { compareNumbers } from '../../base/compare.ts';
import type { TimedEvent } from './timed-event.ts';
import { sortByTime } from './timeline.ts';

/**
 * One event per id: the one with the smallest timestamp, of equally old ones the first of the
 * input. Ascending by timestamp, then id.
 */
export function dedupeKeepEarliest<Event extends TimedEvent>(
  events: readonly Event[],
): readonly Event[] {
  const earliest = new Map<string, Event>();
  for (const event of events) {
    const kept = earliest.get(event.id);
    if (kept === undefined || event.timestamp < kept.timestamp) earliest.set(event.id, event);
  }
  return sortByTime([...earliest.values()]);
}

/** All events of both, ascending by timestamp; of one timestamp those of `a` first, in their order. */
export function mergeStreams<Event extends TimedEvent>(
  a: readonly Event[],
  b: readonly Event[],
): readonly Event[] {
  return [...a, ...b].sort((one, other) => compareNumbers(one.timestamp, other.timestamp));
}

/** One event per id: the first occurrence, `a` before `b`. Ascending by timestamp, then id. */
export function mergeDedupe<Event extends TimedEvent>(
  a: readonly Event[],
  b: readonly Event[],
): readonly Event[] {
  const first = new Map<string, Event>();
  for (const event of [...a, ...b]) {
    if (!first.has(event.id)) first.set(event.id, event);
  }
  return sortByTime([...first.values()]);
}
