// What making the decisions of one block again came to.

import { present } from '../../base/assert.ts';
import type { BlockCursor } from './block-cursor.ts';
import type { DecisionRecord } from './decision-record.ts';
import { recordAt } from './record-decoder.ts';
import type { Difference, Redecision, UndecidableReason } from './redecision.ts';

type DifferingRecord = {
  /** Place of the record in its block, from 0: added to the sequence of the block it is its own. */
  readonly index: number;
  readonly record: DecisionRecord;
  readonly difference: Difference;
};

export type BlockRedecision = {
  /** All records of the block. */
  readonly records: number;
  /** Decisions made again, whether they came out the same or not. */
  readonly decisions: number;
  /** The same by kind of record; control decisions by their name. */
  readonly byKind: ReadonlyMap<string, number>;
  /** Records that could not be decided again; in none of the others. */
  readonly undecidable: ReadonlyMap<UndecidableReason, number>;
  /** In order. */
  readonly differing: readonly DifferingRecord[];
};

export class BlockTally {
  /** Records seen before the present one. */
  records = 0;
  #decisions = 0;
  readonly #byKind = new Map<string, number>();
  readonly #undecidable = new Map<UndecidableReason, number>();
  readonly #differing: DifferingRecord[] = [];

  /** The record at the cursor, as `kind`, came to this. */
  add(cursor: BlockCursor, kind: string, redecision: Redecision): void {
    if (redecision.kind === 'undecidable') {
      const { reason } = redecision;
      this.#undecidable.set(reason, (this.#undecidable.get(reason) ?? 0) + 1);
      return;
    }
    this.#decisions += 1;
    this.#byKind.set(kind, (this.#byKind.get(kind) ?? 0) + 1);
    if (redecision.kind === 'differs') this.#keep(cursor, redecision);
  }

  #keep(cursor: BlockCursor, difference: Difference): void {
    const record = recordAt(cursor);
    const value = present(record.ok ? record.value : undefined, 'a record that was decided again');
    this.#differing.push({ index: this.records, record: value, difference });
  }

  result(): BlockRedecision {
    return {
      records: this.records,
      decisions: this.#decisions,
      byKind: this.#byKind,
      undecidable: this.#undecidable,
      differing: this.#differing,
    };
  }
}
