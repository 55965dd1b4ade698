// A circuit breaker: stops calling what keeps failing, and tries again carefully.
//
//            failures >= failureThreshold
//   closed ────────────────────────────────> open <──────────────┐
//     ^                                       │ attemptReset, or  │ one failure
//     │                                       │ openMs have passed│
//     │   successes >= successThreshold       v                   │
//     └───────────────────────────────── half_open ───────────────┘
//
// Two ways of use. The plain one records outcomes and asks `isCallPermitted`. The careful one wraps
// each call in `beginCall` and `endCall`: then at most `halfOpenProbes` calls try a half-open breaker
// at once, and the late outcome of a call that began before the last transition is ignored, because
// it tells of another time. Times are arguments in milliseconds; listeners are plain functions that
// are told of a transition after it happened. Both additions are off unless an option names them.
//
//   I1  A success leaves `failures` 0, a failure leaves `successes` 0.
//   I2  Entering half_open or closed leaves both counters 0.
//   I3  A transition happens between two different states, along an edge of the diagram.
//   I4  Probes in flight never exceed halfOpenProbes, and none are in flight outside half_open.

import { assert } from '../../base/assert.ts';
import { isCount } from '../../base/numbers.ts';
import type { Instant } from '../../base/time.ts';
import { bulkheadHasPermit, halfOpenProbes, stateDuration } from './failure-rules.ts';

export const breakerStates = ['closed', 'open', 'half_open'] as const;
export type BreakerState = (typeof breakerStates)[number];

export type BreakerTransition = {
  readonly from: BreakerState;
  readonly to: BreakerState;
  /** When, if the caller said so. */
  readonly at: Instant | undefined;
};

export type BreakerOptions = {
  /** How long it stays open before it half-opens by itself, ms. Absent: until `attemptReset`. */
  readonly openMs?: number;
  /** How many calls may try it at once while it is half-open, at least 1. Absent: any number. */
  readonly halfOpenProbes?: number;
  readonly listeners?: readonly ((transition: BreakerTransition) => void)[];
};

/** A call that was let through; it is ended exactly once. */
export type BreakerCall = {
  /** How many transitions there were when it began. */
  readonly term: number;
};

/** `abandoned` tells nothing of the callee: the caller went away. */
export type CallOutcome = 'success' | 'failure' | 'abandoned';

export class CircuitBreaker {
  readonly #failureThreshold: number;
  readonly #successThreshold: number;
  readonly #openMs: number | undefined;
  readonly #probesMax: number;
  readonly #listeners: readonly ((transition: BreakerTransition) => void)[];
  readonly #probes = new Set<BreakerCall>();
  #state: BreakerState = 'closed';
  #failures = 0;
  #successes = 0;
  #openedAt: Instant | undefined;
  #term = 0;

  /** Thresholds are whole numbers; 0 acts like 1. */
  constructor(failureThreshold: number, successThreshold: number, options: BreakerOptions = {}) {
    const { openMs, halfOpenProbes: probes } = options;
    assert(isCount(failureThreshold), `failure threshold ${failureThreshold}`);
    assert(isCount(successThreshold), `success threshold ${successThreshold}`);
    assert(openMs === undefined || isCount(openMs), `breaker openMs ${openMs}`);
    assert(probes === undefined || (isCount(probes) && probes > 0), `half-open probes ${probes}`);
    this.#failureThreshold = failureThreshold;
    this.#successThreshold = successThreshold;
    this.#openMs = openMs;
    this.#probesMax = probes === undefined ? Number.POSITIVE_INFINITY : halfOpenProbes(probes);
    this.#listeners = [...(options.listeners ?? [])];
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Successes in a row. */
  get successes(): number {
    return this.#successes;
  }

  /** How many probes have begun and not ended. */
  get probesInFlight(): number {
    return this.#probes.size;
  }

  /** When `advance` will half-open it; absent when it will not by itself. */
  get nextDeadline(): Instant | undefined {
    if (this.#openMs === undefined || this.#openedAt === undefined) return undefined;
    return (this.#openedAt + this.#openMs) as Instant;
  }

  /** The transition that the failure causes, if any. With openMs, `now` must be given. */
  recordFailure(now?: Instant): BreakerTransition | undefined {
    assert(this.#openMs === undefined || now !== undefined, 'a timed breaker is told the time');
    this.#failures += 1;
    this.#successes = 0;
    const trips = this.#state === 'closed' && this.#failures >= this.#failureThreshold;
    return trips || this.#state === 'half_open' ? this.#enter('open', now) : undefined;
  }

  /** The transition that the success causes, if any. */
  recordSuccess(now?: Instant): BreakerTransition | undefined {
    this.#successes += 1;
    this.#failures = 0;
    const heals = this.#state === 'half_open' && this.#successes >= this.#successThreshold;
    return heals ? this.#enter('closed', now) : undefined;
  }

  /** From open to half_open; in any other state nothing happens. */
  attemptReset(now?: Instant): BreakerTransition | undefined {
    return this.#state === 'open' ? this.#enter('half_open', now) : undefined;
  }

  /** Time has passed: half-opens an open breaker whose openMs are over, at `nextDeadline` itself too. */
  advance(now: Instant): BreakerTransition | undefined {
    return this.#isDue(now) ? this.attemptReset(now) : undefined;
  }

  /**
   * The state is not open, and a half-open one has a free probe. Changes nothing: given `now`, an
   * open breaker whose openMs are over already answers as the half-open one it will be.
   */
  isCallPermitted(now?: Instant): boolean {
    if (this.#state === 'closed') return true;
    if (this.#state === 'open') return this.#isDue(now);
    return bulkheadHasPermit(this.#probes.size, this.#probesMax);
  }

  /** Lets a call through, as a probe when half-open; absent when it is not permitted. */
  beginCall(now?: Instant): BreakerCall | undefined {
    if (!this.isCallPermitted(now)) return undefined;
    if (now !== undefined) this.advance(now);
    const call = Object.freeze({ term: this.#term });
    if (this.#state === 'half_open') this.#probes.add(call);
    return call;
  }

  /** Frees the probe and records the outcome, unless a transition came between. */
  endCall(call: BreakerCall, outcome: CallOutcome, now?: Instant): BreakerTransition | undefined {
    this.#probes.delete(call);
    if (call.term !== this.#term || outcome === 'abandoned') return undefined;
    return outcome === 'success' ? this.recordSuccess(now) : this.recordFailure(now);
  }

  #isDue(now: Instant | undefined): boolean {
    if (now === undefined || this.#openMs === undefined) return false;
    return this.#openedAt !== undefined && stateDuration(this.#openedAt, now) >= this.#openMs;
  }

  #enter(to: BreakerState, now: Instant | undefined): BreakerTransition {
    const transition = Object.freeze({ from: this.#state, to, at: now });
    this.#state = to;
    this.#term += 1;
    this.#openedAt = to === 'open' ? now : undefined;
    this.#successes = 0;
    if (to === 'half_open') this.#failures = 0;
    this.#probes.clear();
    for (const listener of this.#listeners) listener(transition);
    return transition;
  }
}
