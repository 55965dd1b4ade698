// A validator says whether a transition that the graph allows may happen now: is there a GPU for
// what is to be placed, is the manifest signed of what is to run. It is asked after the graph and
// before anything changes, so that its refusal leaves no trace (SO3). Platform specification D.2.

import type { Fault } from '../../base/fault.ts';
import { ok, type Result } from '../../base/result.ts';
import type { TransitionRecord } from './transition-record.ts';

/** A transition that the graph allows, with what the caller knows about it. */
type ProposedTransition<Context> = TransitionRecord & {
  readonly context: Context | undefined;
};

export interface TransitionValidator<Context> {
  /** Changes nothing: it may be asked about a transition that never happens. */
  validate(proposed: ProposedTransition<Context>): Result<undefined, Fault>;
}

/**
 * Asks one validator after the other; the first refusal is the answer. Without any, all is well.
 */
export function allOf<Context>(
  ...validators: readonly TransitionValidator<Context>[]
): TransitionValidator<Context> {
  return {
    validate(proposed) {
      for (const validator of validators) {
        const verdict = validator.validate(proposed);
        if (!verdict.ok) return verdict;
      }
      return ok(undefined);
    },
  };
}
