// The writer of control events: facts are in the database before they are acted on. A change that
// cannot be written is refused; one whose answer is lost is asked for again under its own id until
// the database says what became of it.

import { instant } from '../../../src/base/time.ts';
import type { EventData } from '../../../src/core/events/control-event.ts';
import type { VirtualDatabase } from '../environment/database.ts';
import { controlNode, type Ground, wallOf } from '../environment/ground.ts';

type Fact = {
  readonly stream: string;
  readonly kind: string;
  readonly actor: string;
  readonly subject: string;
  readonly data: EventData;
};

const retryMs = 300;

export class Trail {
  readonly #ground: Ground;
  readonly #database: VirtualDatabase;
  /** True in the life of the process that made it. */
  #isOpen = true;
  #ids = 0;
  readonly #life: number;

  constructor(ground: Ground, database: VirtualDatabase, life: number) {
    this.#ground = ground;
    this.#database = database;
    this.#life = life;
  }

  /** The process is gone: nobody hears the answers any more. */
  close(): void {
    this.#isOpen = false;
  }

  /**
   * Writes the fact with its rows, then acts. `refused` hears that the database was away and nothing
   * has changed; without it the write is tried until it succeeds.
   */
  record(fact: Fact, write: () => void, act: () => void, refused?: () => void): void {
    const event = {
      ...fact,
      version: 1,
      id: `${this.#life}-${++this.#ids}`,
      occurredAt: instant(wallOf(this.#ground, controlNode)),
    };
    const { writesBeforeActing } = this.#ground.conduct;
    if (!writesBeforeActing) this.#act(event.id, fact, act);
    this.#write(event, write, writesBeforeActing ? act : () => undefined, fact, refused);
  }

  #write(
    event: Parameters<VirtualDatabase['commit']>[0]['event'],
    write: () => void,
    act: () => void,
    fact: Fact,
    refused?: () => void,
  ): void {
    this.#database.commit({ event, write }, (answer) => {
      if (!this.#isOpen) return;
      if (answer === 'committed') {
        this.#act(event.id, fact, act);
        return;
      }
      if (answer === 'away' && refused !== undefined) {
        refused();
        return;
      }
      this.#ground.timeline.after(retryMs, `write again: ${fact.kind}`, () => {
        if (this.#isOpen) this.#write(event, write, act, fact, undefined);
      });
    });
  }

  #act(eventId: string, fact: Fact, act: () => void): void {
    const isWritten = this.#database.has(eventId);
    this.#ground.watch.security.acted(fact.kind, eventId, isWritten);
    act();
  }
}
