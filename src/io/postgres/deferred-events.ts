// Control events of what has already happened and was acted on: they wait here for the database, are
// written together, and what fails is kept for the next try.
//
//   D1  Events are written in the order in which they were added, each once.
//   D2  What waits is bounded; when it is too much the oldest are let go, and how many is told.

import type { EventToAppend } from './control-events.ts';

export type DeferredEventsOptions = {
  readonly append: (events: readonly EventToAppend[]) => Promise<void>;
  /** Events that may wait, at least 1. */
  readonly waitingMax: number;
  /** Told at the first failure in a row. */
  readonly onFailed: (error: unknown) => void;
  readonly onLost: (events: number) => void;
};

export class DeferredEvents {
  readonly #options: DeferredEventsOptions;
  #waiting: EventToAppend[] = [];
  #writing: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(options: DeferredEventsOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  add(event: EventToAppend): void {
    this.#waiting.push(event);
    this.#bound();
  }

  #bound(): void {
    const lost = this.#waiting.length - this.#options.waitingMax;
    if (lost <= 0) return;
    this.#waiting = this.#waiting.slice(lost);
    this.#options.onLost(lost);
  }

  /** Writes what waits; never rejects: what failed waits for the next call. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#flush());
    return this.#writing;
  }

  async #flush(): Promise<void> {
    const events = this.#waiting;
    if (events.length === 0) return;
    this.#waiting = [];
    try {
      await this.#options.append(events);
      this.#isFailing = false;
    } catch (error) {
      this.#waiting = [...events, ...this.#waiting];
      this.#bound();
      if (!this.#isFailing) this.#options.onFailed(error);
      this.#isFailing = true;
    }
  }
}
