// The engine of workflows: which entity is in which state, and how it came there. It is composed of
// a state machine, a validator and an audit sink; without any of them it runs the lifecycle of
// jobs, asks nobody and records in its own history only. Platform specification A.14 and D.2.
//
//   plan ──────────────────────> record ──────────────> apply
//   graph, then validator;       sink keeps it,         graph again, then state and history;
//   changes nothing              or refuses             nothing in between
//
// `transition` does all three at once. A shell whose sink takes time does them apart: it plans,
// waits until the record is kept, and applies. What was planned on an older state is refused then.
//
//   I1  The records of an entity in the history make a path of the machine from its initial state,
//       which ends at the state that the entity is in.
//   I2  What is refused, by whomever, leaves state and history as they were. A sink that throws
//       instead of refusing has a bug; nothing has changed then either.
//   I3  A record reaches the sink before it is applied. In strict mode everything applied was kept.
//   I4  An entity is registered once: a second time would erase where it is.
//
// Entities and history grow with their use and are not given up by the engine: it is as large as
// the work that its owner hands to it.

import { type Fault, fault, invalid } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { AuditMode, AuditSink } from './audit-sink.ts';
import type { EntityStates } from './entity-figures.ts';
import { jobLifecycle } from './job-lifecycle.ts';
import type { StateMachine } from './state-machine.ts';
import type { History } from './transition-history.ts';
import { auditLine, type TransitionRecord } from './transition-record.ts';
import type { TransitionValidator } from './transition-validator.ts';

type WorkflowOptions<Context> = {
  /** Default: the lifecycle of jobs. */
  readonly machine?: StateMachine;
  readonly validator?: TransitionValidator<Context>;
  readonly sink?: AuditSink;
  /** What a refusal of the sink means for this entity; default strict for all. */
  readonly auditMode?: (entityId: string) => AuditMode;
};

export type TransitionRequest<Context> = {
  readonly entityId: string;
  readonly to: string;
  readonly timestamp: number;
  /** What the validators should know. */
  readonly context?: Context | undefined;
};

/** `from` is where the entity was found, empty text for one that is not registered. */
export type TransitionOutcome =
  | { readonly success: true; readonly from: string; readonly to: string }
  | { readonly success: false; readonly from: string; readonly to: string; readonly error: Fault };

type BatchPlan =
  | { readonly ok: true; readonly records: readonly TransitionRecord[] }
  /** `failedAt` is the index of the first request that is refused, standing at `from` by then. */
  | { readonly ok: false; readonly failedAt: number; readonly from: string; readonly error: Fault };

export class WorkflowEngine<Context = unknown> {
  readonly machine: StateMachine;
  readonly #validator: TransitionValidator<Context> | undefined;
  readonly #sink: AuditSink | undefined;
  readonly #auditMode: (entityId: string) => AuditMode;
  readonly #states = new Map<string, string>();
  readonly #history: TransitionRecord[] = [];
  #auditFailures = 0;

  constructor(options: WorkflowOptions<Context> = {}) {
    this.machine = options.machine ?? jobLifecycle;
    this.#validator = options.validator;
    this.#sink = options.sink;
    this.#auditMode = options.auditMode ?? (() => 'strict');
  }

  /** Puts a new entity into the initial state, which is the answer; refuses a known one (I4). */
  register(entityId: string): Result<string, Fault<'entity_known'>> {
    const state = this.#states.get(entityId);
    if (state !== undefined) {
      return err(fault('entity_known', `${entityId} is registered already and is ${state}`));
    }
    this.#states.set(entityId, this.machine.initial);
    return ok(this.machine.initial);
  }

  getState(entityId: string): string | undefined {
    return this.#states.get(entityId);
  }

  /** Is the entity at an end? False for one that is not registered. */
  isTerminal(entityId: string): boolean {
    return this.machine.isTerminal(this.#states.get(entityId) ?? '');
  }

  /** How many entities are not at an end. */
  activeCount(): number {
    return [...this.#states.values()].filter((state) => !this.machine.isTerminal(state)).length;
  }

  /** The state of every entity, in the order of their registration. */
  states(): EntityStates {
    return new Map(this.#states);
  }

  /** Every transition that happened, in order. */
  history(): History {
    return [...this.#history];
  }

  /** One line for each transition that happened, in order; the format is fixed. */
  auditLog(): readonly string[] {
    return this.#history.map(auditLine);
  }

  /** How often the sink refused a group and it happened all the same (`besteffort`). */
  get auditFailures(): number {
    return this.#auditFailures;
  }

  /** Plans, records and applies in one step. */
  transition(
    entityId: string,
    to: string,
    timestamp: number,
    context?: Context,
  ): TransitionOutcome {
    const from = this.#states.get(entityId) ?? '';
    const planned = this.plan({ entityId, to, timestamp, context });
    const done = planned.ok ? this.commit([planned.value]) : planned;
    return done.ok ? { success: true, from, to } : { success: false, from, to, error: done.error };
  }

  /** The record of the transition, if graph and validator allow it. Changes nothing. */
  plan(request: TransitionRequest<Context>): Result<TransitionRecord, Fault> {
    return this.#planFrom(this.#states.get(request.entityId), request);
  }

  /** The records of all, each planned on what those before it would leave. Changes nothing. */
  planAll(requests: readonly TransitionRequest<Context>[]): BatchPlan {
    const staged = new Map<string, string>();
    const records: TransitionRecord[] = [];
    for (const [failedAt, request] of requests.entries()) {
      const from = staged.get(request.entityId) ?? this.#states.get(request.entityId);
      const planned = this.#planFrom(from, request);
      if (!planned.ok) return { ok: false, failedAt, from: from ?? '', error: planned.error };
      staged.set(request.entityId, request.to);
      records.push(planned.value);
    }
    return { ok: true, records };
  }

  /**
   * Checks planned records against the graph, hands them to the sink as one group and applies them:
   * all of it, or nothing.
   */
  commit(records: readonly TransitionRecord[]): Result<undefined, Fault> {
    const stale = this.#faultOfAll(records);
    if (stale !== undefined) return err(stale);
    const kept = this.#record(records);
    return kept.ok ? this.#applyAll(records) : kept;
  }

  /**
   * Applies a planned record that its caller has recorded; the engine's own sink is not asked. The
   * graph is checked again, and `stale_plan` tells that the entity has moved since the plan.
   */
  apply(record: TransitionRecord): TransitionOutcome {
    const { entityId, to } = record;
    const from = this.#states.get(entityId) ?? '';
    const done = this.#applyAll([record]);
    return done.ok ? { success: true, from, to } : { success: false, from, to, error: done.error };
  }

  #planFrom(
    state: string | undefined,
    { entityId, to, timestamp, context }: TransitionRequest<Context>,
  ): Result<TransitionRecord, Fault> {
    const record = Object.freeze({ entityId, from: state ?? '', to, timestamp });
    const error = this.#faultOf(record, state);
    if (error !== undefined) return err(error);
    const verdict = this.#validator?.validate({ ...record, context });
    return verdict?.ok === false ? verdict : ok(record);
  }

  /** What keeps an entity in `state` from this transition, as far as the graph goes. */
  #faultOf(
    { entityId, from, to, timestamp }: TransitionRecord,
    state: string | undefined,
  ): Fault | undefined {
    if (state === undefined) return fault('unknown_entity', `${entityId} is not registered`);
    if (from !== state) {
      return fault('stale_plan', `${entityId} is ${state}, but the plan leaves from ${from}`);
    }
    if (!Number.isSafeInteger(timestamp)) {
      const violation = { field: 'timestamp', value: timestamp, bound: 'a safe integer' };
      return invalid('invalid_timestamp', entityId, [violation]);
    }
    if (this.machine.can(from, to)) return undefined;
    const allowed = this.machine.allowed(from).join(', ') || 'nothing, it is terminal';
    return fault(
      'illegal_transition',
      `${entityId} is ${from} and cannot become ${to}; it can become ${allowed}`,
    );
  }

  #record(records: readonly TransitionRecord[]): Result<undefined, Fault> {
    const isStrict = records.some(({ entityId }) => this.#auditMode(entityId) === 'strict');
    const kept = this.#sink?.append(records, isStrict ? 'strict' : 'besteffort');
    if (kept === undefined || kept.ok) return ok(undefined);
    if (isStrict) return err(fault('audit_refused', `not recorded: ${kept.error.message}`));
    this.#auditFailures += 1;
    return ok(undefined);
  }

  /** What keeps these records from being applied one after the other, as far as the graph goes. */
  #faultOfAll(records: readonly TransitionRecord[]): Fault | undefined {
    const staged = new Map<string, string>();
    for (const record of records) {
      const { entityId, to } = record;
      const error = this.#faultOf(record, staged.get(entityId) ?? this.#states.get(entityId));
      if (error !== undefined) return error;
      staged.set(entityId, to);
    }
    return undefined;
  }

  #applyAll(records: readonly TransitionRecord[]): Result<undefined, Fault> {
    const error = this.#faultOfAll(records);
    if (error !== undefined) return err(error);
    for (const { entityId, from, to, timestamp } of records) {
      this.#states.set(entityId, to);
      this.#history.push(Object.freeze({ entityId, from, to, timestamp }));
    }
    return ok(undefined);
  }
}
