// Moves workflows whose transitions are recorded in sinks that take time, such as a database. The
// engine decides and holds the states; this shell does the waiting between its two steps:
//
//   plan (engine) ──> append to each sink in turn, awaited ──> apply (engine, which checks again)
//
//   I1  One transition of an entity at a time, in the order they were asked for. Transitions of
//       different entities wait side by side.
//   I2  Strict: the first sink that refuses ends it, nothing is applied, and the sinks before it
//       hold a record that never came true. Besteffort: every sink is asked, refusals are counted,
//       the transition happens. Both as in a fan-out of the core (audit-sink.ts), and a void record
//       is told apart by the same rule.
//   I3  At most `waitingMax` transitions are under way or wait; one more is refused.
//
// After a restart the states come back by registering the entities and applying the settled records
// of the last sink to a new engine. A record whose process died before it was applied comes true
// then: it was written ahead.
//
// A validator is asked when a transition is planned. What it found may have changed when the record
// is kept: who needs something to himself reserves it first and gives the reservation as context.

import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { AuditMode } from '../../core/workflow/audit-sink.ts';
import type { TransitionRecord } from '../../core/workflow/transition-record.ts';
import type { TransitionOutcome, WorkflowEngine } from '../../core/workflow/workflow-engine.ts';

/** An audit sink of the core, or one whose answer takes time. It rejects only for a bug. */
type TransitionSink = {
  append(
    records: readonly TransitionRecord[],
    mode: AuditMode,
  ): Result<undefined, Fault> | Promise<Result<undefined, Fault>>;
};

export type RecordedWorkflowOptions<Context> = {
  readonly engine: WorkflowEngine<Context>;
  /** Asked in this order; the one that states are restored from comes last. */
  readonly sinks: readonly TransitionSink[];
  /** What a refusal of a sink means for this entity; default strict for all. */
  readonly auditMode?: (entityId: string) => AuditMode;
  /** Default 1000. */
  readonly waitingMax?: number;
};

export class RecordedWorkflow<Context = unknown> {
  readonly #engine: WorkflowEngine<Context>;
  readonly #sinks: readonly TransitionSink[];
  readonly #auditMode: (entityId: string) => AuditMode;
  readonly #waitingMax: number;
  /** The end of the newest transition of each entity that has one under way. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #waiting = 0;
  #auditFailures = 0;

  constructor(options: RecordedWorkflowOptions<Context>) {
    this.#engine = options.engine;
    this.#sinks = options.sinks;
    this.#auditMode = options.auditMode ?? (() => 'strict');
    this.#waitingMax = options.waitingMax ?? 1000;
  }

  /** Transitions under way or waiting. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How often a sink refused a record whose transition happened all the same (`besteffort`). */
  get auditFailures(): number {
    return this.#auditFailures;
  }

  /**
   * Resolves when the transition has happened or was refused; then `from` is where it was found.
   */
  async transition(
    entityId: string,
    to: string,
    timestamp: number,
    context?: Context,
  ): Promise<TransitionOutcome> {
    if (this.#waiting >= this.#waitingMax) {
      const words = `${this.#waiting} transitions are under way, which is the most; try again`;
      const from = this.#engine.getState(entityId) ?? '';
      return { success: false, from, to, error: fault('too_many_waiting', words) };
    }
    const before = this.#turns.get(entityId) ?? Promise.resolve();
    const turn = before.then(() => this.#move(entityId, to, timestamp, context));
    // The next one waits for the end of this one, whatever it is.
    const ended = turn.catch(() => {});
    this.#turns.set(entityId, ended);
    this.#waiting += 1;
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
      if (this.#turns.get(entityId) === ended) this.#turns.delete(entityId);
    }
  }

  async #move(
    entityId: string,
    to: string,
    timestamp: number,
    context: Context | undefined,
  ): Promise<TransitionOutcome> {
    const from = this.#engine.getState(entityId) ?? '';
    const plan = this.#engine.plan({ entityId, to, timestamp, context });
    if (!plan.ok) return { success: false, from, to, error: plan.error };
    const kept = await this.#record(plan.value);
    if (!kept.ok) return { success: false, from, to, error: kept.error };
    return this.#engine.apply(plan.value);
  }

  async #record(record: TransitionRecord): Promise<Result<undefined, Fault>> {
    const mode = this.#auditMode(record.entityId);
    for (const sink of this.#sinks) {
      const kept = await sink.append([record], mode);
      if (kept.ok) continue;
      const words = `not recorded: ${kept.error.message}`;
      if (mode === 'strict') return err(fault('audit_refused', words));
      this.#auditFailures += 1;
    }
    return ok(undefined);
  }
}
