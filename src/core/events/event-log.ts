// The newest events, at most `capacity` of them (platform specification A.3). A window to look
// through, not the audit trail, which is durable and forgets nothing (control-event.ts).
//
//   I1  size <= capacity; beyond it the oldest falls out.
//   I2  An event kept is a frozen copy: whoever gave or got one cannot change the log.

import { Ring } from '../../base/ring.ts';
import type { TimedEvent } from './timed-event.ts';

export class EventLog<Event extends TimedEvent = TimedEvent> {
  /** Absent for a capacity of 0, which keeps nothing. */
  readonly #ring: Ring<Event> | undefined;

  constructor(capacity: number) {
    this.#ring = capacity === 0 ? undefined : new Ring(capacity);
  }

  get count(): number {
    return this.#ring?.size ?? 0;
  }

  append(event: Event): void {
    this.#ring?.push(Object.freeze({ ...event }));
  }

  /** In the order of appending. */
  getAll(): readonly Event[] {
    return this.#ring?.toArray() ?? [];
  }

  /** The one appended last, whatever its timestamp. */
  latest(): Event | undefined {
    return this.#ring?.latest();
  }

  clear(): void {
    this.#ring?.clear();
  }
}
