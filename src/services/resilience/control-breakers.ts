// Circuit breakers as the control thread sees them: it hears of every transition from the thread that
// made it, keeps the row and the event, half-opens what has been open for long enough although nobody
// asks, gives back the breakers of backends that are gone, and resets one for an operator.
//
//   gateway threads ── told ──> known ──> event and row, once the database answers
//        |                        ^
//        +── shared table <── tend, every second: what is due, what nobody told
//
//   C1  What protects acts first: a transition is in force before it is written. A reset is an order, so
//       it is written first.
//   C2  The state of a breaker is the word in the table; `known` only adds when and why.
//   C3  A breaker that was open when the program ended begins half open: one request tries it.

import { type Instant, instant } from '../../base/time.ts';
import type { BreakerGate } from '../../core/backends/breaker-gate.ts';
import {
  type BreakerFacts,
  type BreakerRule,
  type BreakerStep,
  type BreakerSteps,
  breakerFacts,
  breakerSteps,
  closedWord,
  halfOpenWord,
  isClosedWord,
  isOpenWord,
  termOf,
} from '../../core/resilience/breaker-word.ts';
import type { BreakerState } from '../../core/resilience/circuit-breaker.ts';
import type { BreakerStore, BreakerWrite } from '../../io/postgres/breaker-store.ts';
import {
  type BreakerKey,
  BreakerTable,
  type BreakerTableParts,
  breakerKey,
  noEntry,
} from '../../io/shared-memory/breaker-table.ts';
import type { BreakerWire } from '../../protocol/control/breaker-schemas.ts';
import { type BreakerCause, type BreakerNews, breakerWrite } from './breaker-event.ts';
import { BreakerJournal } from './breaker-journal.ts';
import { type BreakerSubject, parseSubject, subjectText } from './breaker-subject.ts';
import { breakerWire } from './breaker-view.ts';

export type ControlBreakersPorts = {
  readonly table: BreakerTableParts;
  readonly rule: BreakerRule;
  readonly store: BreakerStore;
  readonly fleet: () => Iterable<{ readonly id: string; readonly models: readonly string[] }>;
  readonly now: () => Instant;
  /** Calls back once after `delayMs`; the returned function cancels. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
  readonly onMoved: (subject: string, news: BreakerNews) => void;
  /** A breaker opened: the name of the backend, with the model where it is one of a model. */
  readonly onOpened: (name: string) => void;
  /** Told at the first failure in a row. */
  readonly onFailed: (error: unknown) => void;
  readonly onLost: (events: number) => void;
};

/** When and why one that is not closed came to its state. */
type Known = {
  readonly key: BreakerKey;
  readonly openedAt: number | undefined;
  readonly lastFailure: string | undefined;
};

/** Open for longer than this at the last end says nothing about now. */
const restoredMsMax = 86_400_000;

export class ControlBreakers {
  readonly #ports: ControlBreakersPorts;
  readonly #table: BreakerTable;
  readonly #steps: BreakerSteps;
  readonly #known = new Map<string, Known>();
  readonly #journal: BreakerJournal;
  readonly #transitions = { open: 0, half_open: 0, closed: 0 };

  constructor(ports: ControlBreakersPorts) {
    this.#ports = ports;
    this.#table = BreakerTable.open(ports.table, {
      termOf,
      isClosed: isClosedWord,
      renewed: closedWord,
    });
    this.#steps = breakerSteps(ports.rule);
    this.#journal = new BreakerJournal(ports);
  }

  get rule(): BreakerRule {
    return this.#ports.rule;
  }

  /** Transitions since the start, by the state that they led to. */
  get transitions(): Readonly<Record<BreakerState, number>> {
    return this.#transitions;
  }

  // ---- start and end -------------------------------------------------------------------------

  /** C3; rejects when the database does not answer. */
  async restore(): Promise<void> {
    const at = this.#ports.now();
    for (const stored of await this.#ports.store.load(at - restoredMsMax)) {
      const subject = parseSubject(stored.subject);
      if (subject === undefined) continue;
      const { openedAt, lastFailure } = stored;
      const key = breakerKey(subject.backend, subject.model);
      const index = this.#table.insert(key);
      if (index === noEntry) continue;
      this.#known.set(stored.subject, { key, openedAt, lastFailure });
      this.#apply(index, key, halfOpenWord);
      if (stored.state === 'open') {
        this.#moved({ ...subject, from: 'open', to: 'half_open', at, words: undefined }, 'start');
      }
    }
  }

  /** Writes what waits, once more, and ends. */
  stop(): Promise<void> {
    return this.#journal.stop();
  }

  // ---- what happens --------------------------------------------------------------------------

  /** A gateway thread made a transition. */
  told(news: BreakerNews): void {
    this.#moved(news, 'attempts');
  }

  #moved(news: BreakerNews, cause: BreakerCause): void {
    const subject = subjectText(news);
    this.#note(subject, news);
    this.#transitions[news.to]++;
    this.#journal.add(this.#writeOf(subject, news, cause, 'system'));
    this.#ports.onMoved(subject, news);
    if (news.to !== 'open') return;
    const { backend, model } = news;
    this.#ports.onOpened(model === undefined ? backend : `${backend}/${model}`);
  }

  #note(subject: string, { backend, model, to, at, words }: BreakerNews): void {
    const before = this.#known.get(subject);
    if (to === 'closed') {
      this.#known.delete(subject);
      return;
    }
    this.#known.set(subject, {
      key: before?.key ?? breakerKey(backend, model),
      openedAt: to === 'open' ? at : before?.openedAt,
      lastFailure: words ?? before?.lastFailure,
    });
  }

  #writeOf(subject: string, news: BreakerNews, cause: BreakerCause, actor: string): BreakerWrite {
    const known = this.#known.get(subject);
    return breakerWrite({ subject, news, cause, actor, known, rule: this.rule });
  }

  /** Called every second: half-opens what is due, and finds what a thread that died did not tell. */
  tend(): void {
    if (this.#known.size === 0 && !this.#table.isCalm) this.#find();
    for (const [subject, { key }] of [...this.#known]) {
      const index = this.#table.find(key);
      if (index === noEntry || isClosedWord(this.#table.breaker(index))) {
        this.#known.delete(subject);
      } else if (this.#apply(index, key, this.#steps.advance)) {
        const { backend, model } = key;
        const at = this.#ports.now();
        this.#moved(
          { backend, model, from: 'open', to: 'half_open', at, words: undefined },
          'time',
        );
      }
    }
  }

  /** Did the step change the breaker? */
  #apply(index: number, key: BreakerKey, step: BreakerStep): boolean {
    this.#table.step(index, key, step, this.#ports.now());
    return this.#table.last.before !== this.#table.last.after;
  }

  #find(): void {
    for (const key of this.#keys()) {
      const index = this.#table.find(key);
      if (index === noEntry) continue;
      const { state } = breakerFacts(this.#table.breaker(index));
      if (state === 'closed' || this.#known.has(subjectText(key))) continue;
      const { backend, model } = key;
      const at = this.#movedAt(index);
      this.#moved({ backend, model, from: 'closed', to: state, at, words: undefined }, 'found');
    }
  }

  /** Unix ms of the last transition of an entry. */
  #movedAt(index: number): number {
    const now = this.#ports.now();
    return now - ((now - this.#table.since(index)) | 0);
  }

  *#keys(): Generator<BreakerKey> {
    for (const { id, models } of this.#ports.fleet()) {
      yield breakerKey(id);
      for (const model of models) yield breakerKey(id, model);
    }
  }

  /** A gateway thread died: the probes that it held are free again, and what it did not tell is found. */
  threadDied(): void {
    this.#table.stepAll(this.#steps.forgetProbes, this.#ports.now());
    this.#find();
  }

  /** The backend, or a model of it, is gone; what it left in the database goes too. */
  removed(subject: BreakerSubject): void {
    this.#table.release(breakerKey(subject.backend, subject.model));
    const own = subjectText(subject);
    for (const [known, { key }] of [...this.#known]) {
      const isOfBackend = subject.model === undefined && key.backend === subject.backend;
      if (known === own || isOfBackend) this.#known.delete(known);
    }
    void this.#journal.forget(own);
  }

  // ---- what people ask -----------------------------------------------------------------------

  /** Is the breaker of the whole backend open? */
  isOpen(backend: string): boolean {
    if (this.#table.isCalm) return false;
    const index = this.#table.find(breakerKey(backend));
    return index !== noEntry && isOpenWord(this.#table.breaker(index));
  }

  /** Those that are not closed, or all that were ever asked, by name. */
  list(isAll: boolean): readonly BreakerWire[] {
    const keys = isAll ? [...this.#keys()] : [...this.#known.values()].map(({ key }) => key);
    return keys
      .flatMap((key) => this.#wireOf(key) ?? [])
      .filter(({ state }) => isAll || state !== 'closed')
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Undefined for one that nobody has asked yet. */
  #wireOf(key: BreakerKey): BreakerWire | undefined {
    const index = this.#table.find(key);
    if (index === noEntry) return undefined;
    return this.#shown(key, breakerFacts(this.#table.breaker(index)), this.#movedAt(index));
  }

  #shown(key: BreakerKey, facts: BreakerFacts, movedAt: number | undefined): BreakerWire {
    const id = subjectText(key);
    const known = this.#known.get(id);
    const since = facts.state === 'closed' ? undefined : movedAt;
    return breakerWire({ id, ...key, facts, since, known, rule: this.rule });
  }

  /** What the gate `breaker` of a backend says. */
  gateOf(backend: string, models: readonly string[]): BreakerGate {
    const own = this.#wireOf(breakerKey(backend));
    const out = this.#table.isCalm
      ? []
      : models.filter((model) => {
          const state = this.#wireOf(breakerKey(backend, model))?.state ?? 'closed';
          return state !== 'closed';
        });
    const timeOf = (text: string | null | undefined): Instant | undefined =>
      text === null || text === undefined ? undefined : instant(Date.parse(text));
    return {
      state: own?.state ?? 'closed',
      since: timeOf(own?.since),
      probeAt: timeOf(own?.probe_at),
      failures: own?.failures ?? 0,
      lastFailure: own?.last_failure ?? undefined,
      modelsOut: out,
    };
  }

  /**
   * Half-opens an open breaker at once, and frees the probes of a half-open one; a closed one stays as
   * it is. Undefined when there is no such backend or model. Rejects when it cannot be written (C1).
   */
  async reset(id: string, actor: string): Promise<BreakerWire | undefined> {
    const subject = parseSubject(id);
    if (subject === undefined || !this.#isKnown(subject)) return undefined;
    const key = breakerKey(subject.backend, subject.model);
    const index = this.#table.find(key);
    const facts = breakerFacts(index === noEntry ? 0 : this.#table.breaker(index));
    if (facts.state === 'closed') return this.#shown(key, facts, undefined);
    const at = this.#ports.now();
    const news = { ...subject, from: facts.state, to: 'half_open', at, words: undefined } as const;
    await this.#journal.writeNow(this.#writeOf(id, news, 'reset', actor));
    if (this.#apply(index, key, this.#steps.reset)) {
      this.#note(id, news);
      this.#transitions.half_open++;
      this.#ports.onMoved(id, news);
    }
    return this.#wireOf(key) ?? this.#shown(key, facts, undefined);
  }

  #isKnown({ backend, model }: BreakerSubject): boolean {
    for (const { id, models } of this.#ports.fleet()) {
      if (id === backend) return model === undefined || models.includes(model);
    }
    return false;
  }
}
