// What became of one request, as its client saw it.
//
//   ok       a whole answer of exactly the length that was asked for
//   failed   no byte of an answer: an error status, or a connection that did not come about
//   cut      a stream that had begun and ended in exactly one error event and [DONE]
//   broken   anything else: a stream that just ends, an answer with a part missing or doubled

export type OutcomeKind = 'ok' | 'failed' | 'cut' | 'broken';

export type Outcome = {
  readonly index: number;
  readonly stream: boolean;
  readonly kind: OutcomeKind;
  /** Why it is not ok; empty otherwise. */
  readonly words: string;
  /** From `x-tensorforge-backend`; undefined when no answer named one. */
  readonly backend: string | undefined;
  /** Backends tried, from `x-tensorforge-attempts`. */
  readonly attempts: number;
  /** Time that the gateway spent itself until its answer began, from `x-tensorforge-overhead-ms`. */
  readonly overheadMs: number | undefined;
  /** The three on the clock of the load, ms from its start. */
  readonly startedMs: number;
  /** First content of a stream; undefined when none came. */
  readonly firstContentMs: number | undefined;
  readonly endedMs: number;
};

/** Attempts beyond the first one, over all requests. */
export function furtherAttemptsOf(outcomes: readonly Outcome[]): number {
  return outcomes.reduce((sum, { attempts }) => sum + attempts - 1, 0);
}
