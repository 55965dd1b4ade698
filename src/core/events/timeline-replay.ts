// A timeline read back, oldest first, that says when it does not have everything (regression case
// E.5, row 8): a silence longer than where events should come means that some are missing, and
// whoever trains on the history must be told. So the events of an incomplete one come only together
// with its gaps. Holes in a sequence are found by the replay of core/resilience.
//
// Keep rule (RD7): none; every record stays.

import { detectGaps } from './gaps.ts';
import type { TimedEvent } from './timed-event.ts';
import { causalOrder } from './timeline.ts';

/** Timestamps of the last event before a silence and of the first after it. */
export type Silence = { readonly from: number; readonly to: number };

export type TimelineReplay<Event extends TimedEvent> =
  | { readonly kind: 'complete'; readonly events: readonly Event[] }
  | {
      readonly kind: 'incomplete';
      readonly events: readonly Event[];
      /** Oldest first; never empty. */
      readonly gaps: readonly Silence[];
    };

/** The events by timestamp, then id; incomplete when two neighbours are more than `silence` apart. */
export function replayTimeline<Event extends TimedEvent>(
  events: readonly Event[],
  silence: number,
): TimelineReplay<Event> {
  const ordered = causalOrder(events);
  const gaps = detectGaps(ordered, silence);
  if (gaps.length === 0) return { kind: 'complete', events: ordered };
  const told = gaps.map(([before, after]) => ({ from: before.timestamp, to: after.timestamp }));
  return { kind: 'incomplete', events: ordered, gaps: told };
}
