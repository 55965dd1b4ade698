// One request as the log tells it: its admission, its attempts and its outcome, each with its place,
// joined by the request id. Records come in any order; what is missing is missing.

import type {
  AdmissionRecord,
  DecisionRecord,
  RoutingRecord,
  SettledRecord,
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

export class RequestStory {
  readonly requestId: string;
  admission: Placed<AdmissionRecord> | undefined;
  /** By attempt; several of one number where a model stands in, in the order of the log. */
  readonly attempts: Placed<RoutingRecord>[] = [];
  settled: Placed<SettledRecord> | undefined;

  constructor(requestId: string) {
    this.requestId = requestId;
  }

  /** Has it all that a finished request leaves? */
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
    }
  }
}
