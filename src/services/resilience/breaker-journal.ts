// Transitions of breakers on their way into the database: together, in order, and kept while it does
// not answer. A transition acts first and is written afterwards; a reset is written first.
//
// The events wait in DeferredEvents; the row that belongs to each waits beside it under the event.

import type { BreakerStore, BreakerWrite, StoredBreaker } from '../../io/postgres/breaker-store.ts';
import type { EventToAppend } from '../../io/postgres/control-events.ts';
import { DeferredEvents } from '../../io/postgres/deferred-events.ts';

export type BreakerJournalPorts = {
  readonly store: BreakerStore;
  readonly after: (delayMs: number, callback: () => void) => () => void;
  readonly onFailed: (error: unknown) => void;
  readonly onLost: (events: number) => void;
};

/** What happens within this time is written together. */
const gatherMs = 200;
const againMs = 5000;
const waitingMax = 10_000;

export class BreakerJournal {
  readonly #ports: BreakerJournalPorts;
  readonly #events: DeferredEvents;
  readonly #rows = new WeakMap<EventToAppend, StoredBreaker>();
  #cancel: (() => void) | undefined;

  constructor(ports: BreakerJournalPorts) {
    this.#ports = ports;
    this.#events = new DeferredEvents({
      append: (events) => ports.store.append(this.#writesOf(events)),
      waitingMax,
      onFailed: ports.onFailed,
      onLost: ports.onLost,
    });
  }

  #writesOf(events: readonly EventToAppend[]): readonly BreakerWrite[] {
    return events.flatMap((event) => {
      const row = this.#rows.get(event);
      return row === undefined ? [] : [{ row, event }];
    });
  }

  add({ row, event }: BreakerWrite): void {
    this.#rows.set(event, row);
    this.#events.add(event);
    this.#schedule(gatherMs);
  }

  #schedule(delayMs: number): void {
    this.#cancel ??= this.#ports.after(delayMs, () => {
      this.#cancel = undefined;
      void this.#write();
    });
  }

  /** Never rejects; what fails is tried again by itself. */
  async #write(): Promise<void> {
    await this.#events.write();
    if (this.#events.waiting > 0) this.#schedule(againMs);
  }

  /** After what waits; rejects when it could not be written. */
  async writeNow(write: BreakerWrite): Promise<void> {
    await this.#events.write();
    await this.#ports.store.append([write]);
  }

  /** Removes the rows of a backend, or of one model of it; a row that stays is ignored at a start. */
  async forget(subject: string): Promise<void> {
    await this.#events.write();
    await this.#ports.store.forget(subject).catch(this.#ports.onFailed);
  }

  /** Writes what waits, once more, and ends. */
  async stop(): Promise<void> {
    await this.#events.write();
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
