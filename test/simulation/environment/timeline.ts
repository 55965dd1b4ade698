// The one queue of everything that happens in a world, on virtual milliseconds. Nothing else in the
// simulation knows the true time; nodes have clocks of their own, and those may lie.
//
//   T1  One step at a time, in order of time, then of scheduling: a seed has one history.
//   T2  The newest steps are kept, so that a failure can tell what led to it.

import { EventQueue } from '../../../src/core/simulation/event-queue.ts';

type Step = { readonly name: string; readonly run: () => void };

/** How many steps a failure tells. */
const keptSteps = 30;

export class Timeline {
  readonly #queue = new EventQueue<Step>();
  readonly #toldAt = new Float64Array(keptSteps);
  readonly #told = new Array<string>(keptSteps).fill('');
  #tellings = 0;
  readonly #say: ((line: string) => void) | undefined;
  #now = 0;
  #steps = 0;

  /** `say` hears every step and note as a line. */
  constructor(say?: (line: string) => void) {
    this.#say = say;
  }

  /** True time, whole ms since the start of the world. */
  get now(): number {
    return this.#now;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Runs `run` in `delayMs`, which is rounded to whole ms; 0 is a later step of this instant. */
  after(delayMs: number, name: string, run: () => void): void {
    this.#queue.schedule(this.#now + Math.max(0, Math.round(delayMs)), { name, run });
  }

  /** Takes one step if there is one not later than `untilMs`. */
  step(untilMs: number): boolean {
    const nextAt = this.#queue.nextAt;
    if (nextAt === undefined || nextAt > untilMs) return false;
    const next = this.#queue.next();
    if (next === undefined) return false;
    this.#now = next.at;
    this.#steps++;
    this.#tell(next.event.name);
    next.event.run();
    return true;
  }

  /** Tells a detail of the present step. */
  note(words: string): void {
    this.#tell(`  ${words}`);
  }

  /** The newest steps and notes, oldest first. */
  recent(): readonly string[] {
    const first = Math.max(0, this.#tellings - keptSteps);
    return Array.from({ length: this.#tellings - first }, (_, index) => {
      const place = (first + index) % keptSteps;
      return lineOf(this.#toldAt[place] ?? 0, this.#told[place] ?? '');
    });
  }

  #tell(words: string): void {
    const place = this.#tellings++ % keptSteps;
    this.#toldAt[place] = this.#now;
    this.#told[place] = words;
    this.#say?.(lineOf(this.#now, words));
  }
}

function lineOf(atMs: number, words: string): string {
  return `${String(atMs).padStart(7)} ${words}`;
}
