// Operations on an engine that touch nothing until all of it may happen (SO3). Rows of the platform
// specification A.14.

import { type Fault, fault } from '../../base/fault.ts';
import type { TransitionOutcome, TransitionRequest, WorkflowEngine } from './workflow-engine.ts';

/** Registers the ids; the answer is how many were new. */
export function registerAll<Context>(
  engine: WorkflowEngine<Context>,
  ids: readonly string[],
): number {
  return ids.filter((id) => engine.register(id).ok).length;
}

/**
 * A transition that also has to be one of `targets`; otherwise refused before anything is touched.
 */
export function transitionIfAllowed<Context>(
  engine: WorkflowEngine<Context>,
  entityId: string,
  to: string,
  timestamp: number,
  targets: readonly string[],
): TransitionOutcome {
  if (targets.includes(to)) return engine.transition(entityId, to, timestamp);
  const allowed = targets.join(', ') || 'none';
  const words = `${entityId} may not become ${to} here; the targets are ${allowed}`;
  return refused(engine.getState(entityId), to, fault('not_a_target', words));
}

type BatchOutcome = {
  readonly ok: boolean;
  /** One for each request, in order. */
  readonly results: readonly TransitionOutcome[];
};

/**
 * All of the transitions in their order, or none: they are planned on a staged copy, in which an id
 * may occur several times, recorded as one group and applied together. When one is refused, its
 * result says why and the others say which one it was (`batch_aborted`); when the sink refuses the
 * group, every result says so.
 */
export function transitionAll<Context>(
  engine: WorkflowEngine<Context>,
  requests: readonly TransitionRequest<Context>[],
): BatchOutcome {
  const plan = engine.planAll(requests);
  if (!plan.ok) return { ok: false, results: abortedBy(engine, requests, plan) };
  const done = engine.commit(plan.records);
  const results = plan.records.map(({ entityId, from, to }): TransitionOutcome => {
    return done.ok
      ? { success: true, from, to }
      : refused(engine.getState(entityId), to, done.error);
  });
  return { ok: done.ok, results };
}

function abortedBy<Context>(
  engine: WorkflowEngine<Context>,
  requests: readonly TransitionRequest<Context>[],
  { failedAt, from, error }: { failedAt: number; from: string; error: Fault },
): readonly TransitionOutcome[] {
  const words = `not applied, because item ${failedAt} of the batch was refused: ${error.message}`;
  return requests.map(({ entityId, to }, index) =>
    index === failedAt
      ? refused(from, to, error)
      : refused(engine.getState(entityId), to, fault('batch_aborted', words)),
  );
}

function refused(state: string | undefined, to: string, error: Fault): TransitionOutcome {
  return { success: false, from: state ?? '', to, error };
}
