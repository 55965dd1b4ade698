// What the requests of one thread say to the serving mode: how many had an outcome, how many of them
// failed, and how many streams began too late. A refusal that the mode itself caused is no outcome, or
// a strict mode would keep itself strict; neither is a client that left or a request that was wrong.

import { gatesOf } from './mode-gates.ts';
import { meetsSlo } from './risk.ts';
import type { ServingMode } from './serving-mode.ts';

/** What became of a request. */
export type RequestOutcome = {
  readonly status: number;
  readonly code: string | undefined;
  /** Milliseconds to the first byte, where there was one. */
  readonly firstByteMs: number | undefined;
  readonly stream: boolean;
};

export type EndedRequests = {
  readonly requests: number;
  /** Server errors that reached the client. */
  readonly failures: number;
  /** Streams whose first byte came after the objective; none of them is a failure. */
  readonly slow: number;
};

export class EndedRequestCount {
  readonly #firstByteMaxMs: number;
  #requests = 0;
  #failures = 0;
  #slow = 0;

  /** `firstByteMaxMs`: the service-level objective. */
  constructor(firstByteMaxMs: number) {
    this.#firstByteMaxMs = firstByteMaxMs;
  }

  add(outcome: RequestOutcome, mode: ServingMode): void {
    const { status, code, firstByteMs } = outcome;
    if (code === 'mode_restricted') return;
    if (code === 'overloaded' && gatesOf(mode).emergencyShedding) return;
    if (status >= 500) {
      this.#requests++;
      this.#failures++;
    } else if (firstByteMs !== undefined && status < 400) {
      this.#requests++;
      if (outcome.stream && !meetsSlo(firstByteMs, this.#firstByteMaxMs)) this.#slow++;
    }
  }

  /** Takes the counts since the last call. */
  drain(): EndedRequests {
    const counts = { requests: this.#requests, failures: this.#failures, slow: this.#slow };
    this.#requests = 0;
    this.#failures = 0;
    this.#slow = 0;
    return counts;
  }
}
