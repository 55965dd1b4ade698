// What was observed of backends, told to the audit trail: a state that moved, a list of models that
// changed. Such facts protect traffic, so they act first and are written afterwards, together and as soon
// as the database answers (README of the specification, 7).

import type { Instant } from '../../base/time.ts';
import type { Backend } from '../../core/backends/backend.ts';
import type { EventToAppend } from '../../io/postgres/control-events.ts';
import { DeferredEvents } from '../../io/postgres/deferred-events.ts';

export type ObservedEventsPorts = {
  readonly append: (events: readonly EventToAppend[]) => Promise<void>;
  readonly now: () => Instant;
  /** Calls back once after `delayMs`; the returned function cancels. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
  /** Told at the first failure in a row. */
  readonly onFailed: (error: unknown) => void;
  readonly onLost: (events: number) => void;
};

/** What happens within this time is written together. */
const gatherMs = 500;
const againMs = 5_000;
const waitingMax = 20_000;
/** Ids of models in one event. */
const namesMax = 100;

type Moved = { readonly before: Backend; readonly after: Backend };

function namesOf(ids: readonly string[]) {
  return ids.length <= namesMax
    ? [...ids]
    : [...ids.slice(0, namesMax), `and ${ids.length - namesMax} more`];
}

export class ObservedEvents {
  readonly #ports: ObservedEventsPorts;
  readonly #events: DeferredEvents;
  #cancel: (() => void) | undefined;

  constructor(ports: ObservedEventsPorts) {
    this.#ports = ports;
    this.#events = new DeferredEvents({ ...ports, waitingMax });
  }

  statusMoved({ before, after }: Moved): void {
    this.#add('backend_status_changed', after, {
      from: before.status,
      to: after.status,
      reason: after.statusReason ?? after.lastError ?? null,
    });
  }

  modelsMoved({ before, after }: Moved): void {
    const old = new Set(before.models.map(({ id }) => id));
    const present = new Set(after.models.map(({ id }) => id));
    const added = [...present].filter((id) => !old.has(id));
    const removed = [...old].filter((id) => !present.has(id));
    // The same models with other windows or abilities are no change of the list.
    if (added.length + removed.length === 0) return;
    const data = { added: namesOf(added), removed: namesOf(removed) };
    this.#add('backend_models_changed', after, data);
  }

  #add(kind: string, { id }: Backend, data: EventToAppend['data']): void {
    const occurredAt = this.#ports.now();
    const subject = `backend:${id}`;
    this.#events.add({
      stream: 'backends',
      kind,
      version: 1,
      occurredAt,
      actor: 'system',
      subject,
      data,
    });
    this.#schedule(gatherMs);
  }

  #schedule(delayMs: number): void {
    this.#cancel ??= this.#ports.after(delayMs, () => {
      this.#cancel = undefined;
      void this.write();
    });
  }

  /** Writes what waits; never rejects, what fails is tried again by itself. */
  async write(): Promise<void> {
    await this.#events.write();
    if (this.#events.waiting > 0) this.#schedule(againMs);
  }

  /** Writes what waits, once more, and ends. */
  async stop(): Promise<void> {
    await this.write();
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
