// What a recording thread is told and what it posts back (history-worker.ts, record-histories.ts).

import type { WordBlock } from '../shared-words.ts';
import type { Operation } from './linearizability.ts';

export type Structure = 'queue' | 'bucket';

export type HistoryTask = {
  readonly structure: Structure;
  readonly block: WordBlock;
  /** Where the structure of each history begins in the block. */
  readonly places: readonly number[];
  readonly thread: number;
  readonly threads: number;
  readonly operations: number;
  readonly seed: number;
  /** Word 0 is the ticket of events; word 1 + h counts the threads that are ready for history h. */
  readonly gate: SharedArrayBuffer;
};

/** For each history the operations of this thread. */
export type Recorded<Call, Answer> = readonly (readonly Operation<Call, Answer>[])[];
