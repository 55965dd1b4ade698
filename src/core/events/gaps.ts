// Silences in a timeline (platform specification A.3, ruling C2): where events should come all the
// time, a gap longer than the threshold says that some are missing.

import type { TimedEvent } from './timed-event.ts';
import { sortByTime } from './timeline.ts';

/** The last event before a gap and the first after it. */
type Gap<Event extends TimedEvent> = readonly [previous: Event, next: Event];

/**
 * Neighbours in time that are *more* than `threshold` apart, oldest first; a difference equal to it
 * is no gap. None for fewer than two events.
 */
export function detectGaps<Event extends TimedEvent>(
  events: readonly Event[],
  threshold: number,
): readonly Gap<Event>[] {
  const gaps: Gap<Event>[] = [];
  let previous: Event | undefined;
  for (const next of sortByTime(events)) {
    if (previous !== undefined && next.timestamp - previous.timestamp > threshold) {
      gaps.push([previous, next]);
    }
    previous = next;
  }
  return gaps;
}
