// The serving mode inside a simulation: the production ladder (policy/ladder.ts) on virtual time,
// fed with how simulated requests end. The fleet is whole, the database is there, nothing trips,
// and the program has run for longer than its grace period before the trace begins.

import { type ErrorCode, entryOf } from '../../errors/catalogue.ts';
import { burnMinutes, minuteOf, readBurn } from '../policy/burn-rate.ts';
import { EndedRequestCount } from '../policy/ended-requests.ts';
import { stepLadder } from '../policy/ladder.ts';
import {
  type LadderOptions,
  type LadderSettings,
  ladderSettings,
} from '../policy/ladder-settings.ts';
import { initialLadder, type LadderState, modeInForce } from '../policy/ladder-state.ts';
import { OutcomeCounts } from '../policy/outcome-counts.ts';
import type { ServingMode } from '../policy/serving-mode.ts';

/** The section `policy` of the configuration, as far as a simulation reads it. */
export type SimulatedPolicy = LadderOptions & {
  readonly tickSeconds: number;
  readonly firstByteMs: number;
};

export class ModeLadder {
  /** Microseconds between two evaluations. */
  readonly tickUs: number;
  readonly #engines: number;
  readonly #ended: EndedRequestCount;
  readonly #settings: LadderSettings;
  readonly #minutes = new OutcomeCounts(burnMinutes);
  #state: LadderState = initialLadder(0);

  constructor(policy: SimulatedPolicy, engines: number) {
    this.tickUs = policy.tickSeconds * 1e6;
    this.#engines = engines;
    this.#ended = new EndedRequestCount(policy.firstByteMs);
    this.#settings = ladderSettings(policy);
  }

  get mode(): ServingMode {
    return modeInForce(this.#state);
  }

  /** A request was answered; `firstUs` from its arrival to its first byte. */
  answered(firstUs: number, stream: boolean): void {
    const outcome = { status: 200, code: undefined, firstByteMs: firstUs / 1000, stream };
    this.#ended.add(outcome, this.mode);
  }

  refused(code: ErrorCode): void {
    const outcome = { status: entryOf(code).status, code, firstByteMs: undefined, stream: false };
    this.#ended.add(outcome, this.mode);
  }

  /** One evaluation. */
  tick(atUs: number): void {
    const at = Math.round(atUs / 1000);
    const outcomes = this.#ended.drain();
    const bad = outcomes.failures + outcomes.slow;
    this.#minutes.add(minuteOf(at), { total: outcomes.requests, bad });
    const step = stepLadder(this.#settings, this.#state, {
      at,
      uptimeMs: this.#settings.graceMs + 1 + at,
      outcomes,
      probes: { good: this.#engines, failed: 0 },
      trips: [],
      backends: { known: this.#engines, routable: this.#engines },
      gateway: 1,
      databaseThere: true,
      burn: readBurn(this.#minutes, at, this.#settings.slo),
    });
    this.#state = step.state;
  }
}
