// How often events come (platform specification A.3).

import { compareNumbers } from '../../base/compare.ts';
import type { TimedEvent } from './timed-event.ts';

/**
 * Events per time unit between the oldest and the newest: count / (newest - oldest). The numerator
 * is the count itself, not one less. 0 for fewer than two events or all at one time.
 */
export function eventRate(events: readonly TimedEvent[]): number {
  let oldest = Number.POSITIVE_INFINITY;
  let newest = Number.NEGATIVE_INFINITY;
  for (const { timestamp } of events) {
    oldest = Math.min(oldest, timestamp);
    newest = Math.max(newest, timestamp);
  }
  return newest > oldest ? events.length / (newest - oldest) : 0;
}

/**
 * Buckets of `size` time units: bucket k holds the events with floor(timestamp / size) = k, in input
 * order. Numbers ascend; a bucket without events is left out; a size of 0 gives no bucket.
 */
export function bucketByTime<Event extends TimedEvent>(
  events: readonly Event[],
  size: number,
): ReadonlyMap<number, readonly Event[]> {
  const buckets = new Map<number, Event[]>();
  if (!(size > 0)) return buckets;
  for (const event of events) {
    const place = Math.floor(event.timestamp / size);
    const bucket = buckets.get(place);
    if (bucket === undefined) buckets.set(place, [event]);
    else bucket.push(event);
  }
  return new Map([...buckets].sort(([a], [b]) => compareNumbers(a, b)));
}
