// How all streams of the decision log stand. The gateway threads report theirs when it changes; that of
// the control thread is at hand and is looked at whenever somebody asks, so that nobody has to ask for
// one answer to make another one true.

import type { DecisionJournal, JournalReport } from './decision-journal.ts';

export class JournalFigures {
  readonly #control: Pick<DecisionJournal, 'figures'>;
  readonly #threads = new Map<string, JournalReport>();

  constructor(control: Pick<DecisionJournal, 'figures'>) {
    this.#control = control;
  }

  /** What a thread told of its stream; replaces what it told before. */
  reported(stream: string, report: JournalReport): void {
    this.#threads.set(stream, report);
  }

  /** Records since the start, of all streams. */
  get records(): number {
    return this.#all().reduce((sum, [, { records }]) => sum + records, 0);
  }

  /** Records since the start that no disk took, of all streams. */
  get dropped(): number {
    return this.#all().reduce((sum, [, { dropped }]) => sum + dropped, 0);
  }

  /** Streams that cannot be written now. */
  get full(): readonly string[] {
    return this.#all().flatMap(([stream, { isFull }]) => (isFull ? [stream] : []));
  }

  #all(): readonly (readonly [stream: string, report: JournalReport])[] {
    const own = this.#control.figures;
    return own === undefined ? [...this.#threads] : [...this.#threads, ['control', own]];
  }
}
