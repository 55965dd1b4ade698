// A replay as a fold over the records of a log: each decision is made again by the production code,
// and the run says how many came out the same, which was the first that did not, and what was missing.
//
//   N1  decisions = sum of byKind; a record that nothing could be decided from is in `skipped` and in
//       neither of the two.
//   N2  The first divergence is the one with the earliest time, then stream, then sequence: the same
//       whatever the order in which streams are read.
//   N3  The state has a bound: gaps and faults beyond their caps are counted, not kept.

import { compareNumbers, compareText } from '../../base/compare.ts';
import type { DecisionRecord } from '../decisions/decision-record.ts';
import type { Difference, Redecision } from '../decisions/redecision.ts';

/** Where a record stands in the log. */
export type RecordPlace = {
  readonly stream: string;
  /** Segment file. */
  readonly segment: string;
  /** Byte offset of the block that holds it. */
  readonly offset: number;
  /** Sequence of the record in its stream. */
  readonly sequence: number;
};

export type Divergence = RecordPlace & {
  readonly decisionId: string;
  readonly at: number;
  readonly member: string;
  readonly recorded: string;
  readonly again: string;
};

/** A time of which the log says nothing although it should (E.5, row 8). */
export type LogGap = {
  readonly stream: string;
  /** Unix ms of the last record before and of the first after. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly words: string;
};

/** The first of a request is 0 for its admission, then its attempts from 1; control decisions have
 * their name. */
export function decisionIdOf(record: DecisionRecord): string {
  if (record.kind === 'control') return `${record.name}.${record.at}`;
  return 'attempt' in record ? `${record.requestId}.${record.attempt}` : `${record.requestId}.0`;
}

function compareDivergences(a: Divergence, b: Divergence): number {
  return (
    compareNumbers(a.at, b.at) ||
    compareText(a.stream, b.stream) ||
    compareNumbers(a.sequence, b.sequence)
  );
}

const gapsKept = 100;
/** Three times without the evaluation that should have come is a hole and no jitter. */
const silentPaces = 3;
/** Time between two evaluations by default, and the longest that can be set. */
const usualPaceMs = 10_000;
const slowestPaceMs = 300_000;

export class ReplayRun {
  readonly #byKind = new Map<string, number>();
  readonly #skipped = new Map<string, number>();
  readonly #gaps: LogGap[] = [];
  #decisions = 0;
  #divergences = 0;
  #first: Divergence | undefined;
  #fromMs: number | undefined;
  #toMs: number | undefined;
  #evaluatedMs: number | undefined;
  /** Between the newest evaluations, at most two: a restart makes one of them short. */
  #pacesMs: readonly number[] = [];

  /** Decisions of one kind that were made again, whether they came out the same or not. */
  decided(kind: string, count: number): void {
    if (count === 0) return;
    this.#byKind.set(kind, (this.#byKind.get(kind) ?? 0) + count);
    this.#decisions += count;
  }

  /** One of the decided ones came out otherwise. */
  diverged(record: DecisionRecord, place: RecordPlace, difference: Difference): void {
    const { member, recorded, again } = difference;
    this.#divergences++;
    const met = { ...place, decisionId: decisionIdOf(record), at: record.at };
    const divergence = { ...met, member, recorded, again };
    if (this.#first === undefined || compareDivergences(divergence, this.#first) < 0) {
      this.#first = divergence;
    }
  }

  /** One record that decides, and what it came to. */
  add(record: DecisionRecord, place: RecordPlace, redecision: Redecision): void {
    this.cover(record.at, record.at);
    if (redecision.kind === 'undecidable') {
      this.skip(redecision.reason, 1);
      return;
    }
    this.decided(record.kind === 'control' ? record.name : record.kind, 1);
    if (redecision.kind === 'differs') this.diverged(record, place, redecision);
  }

  /** Times that were looked at. */
  cover(firstAtMs: number, lastAtMs: number): void {
    this.#fromMs = Math.min(this.#fromMs ?? firstAtMs, firstAtMs);
    this.#toMs = Math.max(this.#toMs ?? lastAtMs, lastAtMs);
  }

  skip(reason: string, count: number): void {
    if (count > 0) this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + count);
  }

  /** Records that the writer had to drop before the block that begins at `atMs`. */
  dropped(stream: string, count: number, fromMs: number, atMs: number): void {
    if (count === 0) return;
    this.skip('dropped', count);
    this.#gap({ stream, fromMs, toMs: atMs, words: `${count} records dropped: the disk was full` });
  }

  /** An evaluation of the control thread, in their order: they come at an even pace. */
  evaluated(stream: string, atMs: number): void {
    const before = this.#evaluatedMs;
    this.#evaluatedMs = atMs;
    if (before === undefined) return;
    const pace = this.#pacesMs.length === 0 ? slowestPaceMs : Math.max(...this.#pacesMs);
    const silent = atMs - before;
    if (silent > silentPaces * Math.max(pace, usualPaceMs)) {
      const words = `${Math.round(silent / 1000)} s without an evaluation of the serving mode`;
      this.#gap({ stream, fromMs: before, toMs: atMs, words });
    } else this.#pacesMs = [silent, ...this.#pacesMs].slice(0, 2);
  }

  get decisions(): number {
    return this.#decisions;
  }

  get divergences(): number {
    return this.#divergences;
  }

  get firstDivergence(): Divergence | undefined {
    return this.#first;
  }

  /** The first hundred, in the order in which they were met. */
  get gaps(): readonly LogGap[] {
    return this.#gaps;
  }

  get fromMs(): number | undefined {
    return this.#fromMs;
  }

  get toMs(): number | undefined {
    return this.#toMs;
  }

  byKind(): Readonly<Record<string, number>> {
    return sorted(this.#byKind);
  }

  skipped(): Readonly<Record<string, number>> {
    return sorted(this.#skipped);
  }

  #gap(gap: LogGap): void {
    if (this.#gaps.length < gapsKept) this.#gaps.push(gap);
    else this.skip('further gaps', 1);
  }
}

function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([a], [b]) => compareText(a, b)));
}
