// The database of a world: rows and control events in one place, changed by transactions that take
// effect entirely or not at all. It can be away, lose a connection before a commit, or commit and
// lose the answer, after which only reading tells what happened.
//
//   D1  Events are appended in the transaction of the change that they tell of.
//       Its time is not before that of the newest event, whatever clock the writer has (SO4).
//   D2  A transaction of an id that is committed already changes nothing and is answered as done.

import type {
  ControlEvent,
  IdentifiedEvent,
  StreamHead,
} from '../../../src/core/events/control-event.ts';
import type { Chance } from './chance.ts';
import type { Ground } from './ground.ts';

type CommitAnswer = 'committed' | 'away' | 'lost';

type Transaction = {
  /** The id of its event is the id of the transaction. */
  readonly event: IdentifiedEvent;
  /** Changes rows; runs when the transaction commits. */
  readonly write: () => void;
};

export class VirtualDatabase {
  readonly #ground: Ground;
  readonly #chance: Chance;
  readonly #events: ControlEvent[] = [];
  readonly #heads = new Map<string, StreamHead>();
  readonly #committed = new Set<string>();
  /** What happens to the next commits; each is used once. */
  readonly #accidents: ('commit_lost' | 'commit_answer_lost')[] = [];
  #isAway = false;

  constructor(ground: Ground, chance: Chance) {
    this.#ground = ground;
    this.#chance = chance;
  }

  /** The trail of all streams, in the order of commits. */
  get events(): readonly ControlEvent[] {
    return this.#events;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  setAway(isAway: boolean): void {
    this.#isAway = isAway;
  }

  /** The next commit meets this accident. */
  plan(accident: 'commit_lost' | 'commit_answer_lost'): void {
    this.#accidents.push(accident);
  }

  forgetPlans(): void {
    this.#accidents.length = 0;
  }

  has(eventId: string): boolean {
    return this.#committed.has(eventId);
  }

  commit(transaction: Transaction, answer: (answer: CommitAnswer) => void): void {
    const takesMs = this.#chance.between(1, 6);
    this.#ground.timeline.after(takesMs, 'database commit', () => {
      const reply = this.#conclude(transaction);
      this.#ground.timeline.after(this.#chance.between(1, 4), `database ${reply}`, () =>
        answer(reply),
      );
    });
  }

  #conclude(transaction: Transaction): CommitAnswer {
    if (this.#isAway) return 'away';
    const accident = this.#accidents.shift();
    if (accident !== undefined) this.#ground.count(accident);
    if (accident === 'commit_lost') return 'lost';
    if (!this.#committed.has(transaction.event.id)) this.#append(transaction);
    return accident === 'commit_answer_lost' ? 'lost' : 'committed';
  }

  #append({ event, write }: Transaction): void {
    const head = this.#heads.get(event.stream) ?? { sequence: 0, hash: '' };
    const { parts, watch } = this.#ground;
    const chained = parts.chainEvents(head, [event], parts.sha256Hex);
    this.#events.push(...chained);
    this.#heads.set(event.stream, chained.at(-1) ?? head);
    this.#committed.add(event.id);
    write();
    watch.security.appended(this.#events);
  }
}
