// Reading a timeline (platform specification A.3). Oldest first, always: a timeline that is already
// in order is never turned round (rule RD4). Windows are closed on both ends, so adjoining ones are
// [a, b] and [b + 1, c] (rule RD5). Inputs stay as they are.

import { compareText } from '../../base/compare.ts';
import { saturatingDifference } from '../../base/numbers.ts';
import { compareEvents, type TimedEvent } from './timed-event.ts';

/** Ascending by timestamp, then id; what is equal in both keeps its order. */
export function sortByTime<Event extends TimedEvent>(events: readonly Event[]): readonly Event[] {
  return [...events].sort(compareEvents);
}

/**
 * The order in which the events can have caused each other: timestamp, then id. It is total for
 * distinct events, so it does not depend on the order of arrival; {@link sortByTime} is the same.
 */
export function causalOrder<Event extends TimedEvent>(events: readonly Event[]): readonly Event[] {
  return sortByTime(events);
}

/** The events with start <= timestamp <= end, in input order; none when start > end. */
export function inTimeWindow<Event extends TimedEvent>(
  events: readonly Event[],
  start: number,
  end: number,
): readonly Event[] {
  return events.filter(({ timestamp }) => timestamp >= start && timestamp <= end);
}

/** Occurrences per kind, an id that comes again counted again; kinds ascend by code unit. */
export function countByKind(events: readonly TimedEvent[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { kind } of events) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return new Map([...counts].sort(([a], [b]) => compareText(a, b)));
}

/**
 * For each transition time t the events that preceded it: t - window <= timestamp < t, in input
 * order. t - window saturates at 0, and an event exactly at t is not one that preceded it.
 */
export function correlateTransitions<Event extends TimedEvent>(
  transitionTimes: readonly number[],
  events: readonly Event[],
  window: number,
): readonly (readonly Event[])[] {
  return transitionTimes.map((at) => {
    const from = saturatingDifference(at, window);
    return events.filter(({ timestamp }) => timestamp >= from && timestamp < at);
  });
}
