// Where transitions are recorded before they happen. A sink keeps a group of records whole or not
// at all, and says which: a single transition is a group of one, a batch that stands or falls
// together is one group. Platform specification D.2.
//
// In `strict` mode a refusal aborts the transition; in `besteffort` it is counted and the
// transition goes on. A fan-out hands every group to several sinks in order:
//
//                      strict                                  besteffort
//   before refusal     keeps the records                       keeps the records
//   refuses            keeps nothing, ends the round           keeps nothing
//   after refusal      is not asked, keeps nothing             is asked all the same
//   the transition     does not happen                         happens
//
// So after an aborted round the sinks before the refusing one hold records that were never applied;
// an append-only log cannot take them back. They are known by what comes next: the following record
// of that entity, or the state it is in, does not begin where the void record ends. The function
// `settledRecords` reads by that rule. The sink that state is restored from is best the last one of
// a fan-out: what it holds, every other has accepted.

import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { fitsCapacity } from '../allocation/capacity.ts';
import { auditLine, type TransitionRecord } from './transition-record.ts';

export type AuditMode = 'strict' | 'besteffort';

export interface AuditSink {
  /**
   * Keeps all records in their order, or refuses and keeps none, in words that name the sink.
   * `mode` says what becomes of a refusal, which matters only to a sink of sinks.
   */
  append(records: readonly TransitionRecord[], mode: AuditMode): Result<undefined, Fault>;
}

/** Keeps records in memory up to a cap, and refuses beyond it. */
export class MemoryAudit implements AuditSink {
  readonly recordsMax: number;
  readonly #records: TransitionRecord[] = [];

  constructor(recordsMax: number) {
    this.recordsMax = recordsMax;
  }

  append(records: readonly TransitionRecord[]): Result<undefined, Fault<'audit_full'>> {
    const wanted = this.#records.length + records.length;
    if (!fitsCapacity(wanted, this.recordsMax)) {
      const held = `${this.#records.length} of ${this.recordsMax} records`;
      return err(
        fault('audit_full', `the audit in memory holds ${held}, no room for ${records.length}`),
      );
    }
    for (const record of records) this.#records.push(record);
    return ok(undefined);
  }

  /** In the order of their arrival. */
  records(): readonly TransitionRecord[] {
    return [...this.#records];
  }

  lines(): readonly string[] {
    return this.#records.map(auditLine);
  }
}

/** One sink that hands every group to all of `sinks`, as the table in the header says. */
export function fanOut(sinks: readonly AuditSink[]): AuditSink {
  return {
    append(records, mode) {
      const refusals: string[] = [];
      for (const sink of sinks) {
        const kept = sink.append(records, mode);
        if (!kept.ok) refusals.push(kept.error.message);
        if (!kept.ok && mode === 'strict') break;
      }
      return refusals.length === 0
        ? ok(undefined)
        : err(fault('sink_refused', refusals.join('; ')));
    },
  };
}
