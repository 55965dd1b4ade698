// One request as the log tells it: its admission, its attempts and its outcome, each with its place,
// joined by the request id. Records come in any order; what is missing is missing.

import type {
  AdmissionRecord,
  AnnotatedRecord,
  BatchedRecord,
  DecisionRecord,
  DegradedRecord,
  QueuedRecord,
  RoutingRecord,
  SettledRecord,
  ShadowedRecord,
} from '../../core/decisions/decision-record.ts';
import type { LogBlock } from './log-source.ts';

/** A record and where it stands. */
export type Placed<Record> = {
  readonly record: Record;
  readonly segment: string;
  readonly offset: number;
  readonly sequence: number;
  /** Number of the behaviour of the program that decided. */
  readonly behaviour: number;
};

function inOrder(a: Placed<RoutingRecord>, b: Placed<RoutingRecord>): number {
  return a.record.attempt - b.record.attempt || a.sequence - b.sequence;
}

/** Keeps them in the order of the log, in whatever order they come. */
function insert<Record>(list: Placed<Record>[], one: Placed<Record>): void {
  list.push(one);
  list.sort((a, b) => a.sequence - b.sequence);
}

export class RequestStory {
  readonly requestId: string;
  /** Of the log, that all of it is in; undefined before its first record. */
  stream: string | undefined;
  admission: Placed<AdmissionRecord> | undefined;
  /** By attempt; several of one number where a model stands in, in the order of the log. */
  readonly attempts: Placed<RoutingRecord>[] = [];
  settled: Placed<SettledRecord> | undefined;
  annotated: AnnotatedRecord | undefined;
  degraded: DegradedRecord | undefined;
  /** Each in the order of the log. */
  readonly queued: Placed<QueuedRecord>[] = [];
  readonly batched: Placed<BatchedRecord>[] = [];
  readonly shadowed: Placed<ShadowedRecord>[] = [];

  constructor(requestId: string) {
    this.requestId = requestId;
  }

  /** Has it all that every finished request leaves? What came of copies may still follow. */
  get isWhole(): boolean {
    return this.admission !== undefined && this.settled !== undefined;
  }

  add(record: Exclude<DecisionRecord, { kind: 'control' }>, block: LogBlock, index: number): void {
    const place = {
      segment: block.name,
      offset: block.offset,
      sequence: block.sequence + index,
      behaviour: block.behaviour,
    };
    this.stream = block.stream;
    switch (record.kind) {
      case 'admitted':
      case 'refused':
      case 'shed':
        this.admission = { record, ...place };
        return;
      case 'routed':
      case 'failed_over':
        this.attempts.push({ record, ...place });
        this.attempts.sort(inOrder);
        return;
      case 'settled':
        this.settled = { record, ...place };
        return;
      case 'annotated':
        this.annotated = record;
        return;
      case 'degraded_served':
        this.degraded = record;
        return;
      case 'queued':
        insert(this.queued, { record, ...place });
        return;
      case 'batched':
        insert(this.batched, { record, ...place });
        return;
      case 'shadowed':
        insert(this.shadowed, { record, ...place });
        return;
    }
  }
}
