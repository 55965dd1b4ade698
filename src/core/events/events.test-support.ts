// Builders for tests of timelines: an event from its time and id, and random histories in which ids
// and timestamps collide often.

import fc from 'fast-check';
import type { TimedEvent } from './timed-event.ts';

/** `event(10, 'a')`; the payload tells two versions of one id apart. */
export function event(
  timestamp: number,
  id = `e${timestamp}`,
  more: Partial<TimedEvent> = {},
): TimedEvent {
  return { id, timestamp, kind: 'admitted', payload: '', ...more };
}

/** Events at the given times, each with an id of its own. */
export function eventsAt(...timestamps: readonly number[]): readonly TimedEvent[] {
  return timestamps.map((timestamp, index) => event(timestamp, `e${index}`));
}

export const history: fc.Arbitrary<readonly TimedEvent[]> = fc
  .array(fc.record({ id: fc.constantFrom('a', 'b', 'B', 'c', 'd'), timestamp: fc.nat(12) }), {
    maxLength: 14,
  })
  .map((drawn) =>
    drawn.map(({ id, timestamp }, index) => event(timestamp, id, { payload: index })),
  );

/** A history and the same events in another order. */
export const shuffledHistory = history.chain((events) =>
  fc.tuple(
    fc.constant(events),
    fc.shuffledSubarray([...events], { minLength: events.length, maxLength: events.length }),
  ),
);
