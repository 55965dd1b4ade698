// The live figures that a decision of this thread reads: those of the arena, as of now, with what holds
// a backend back for a while.

import type { CounterSource, Reading } from '../../core/routing/decision-input.ts';
import { figures } from '../../core/routing/policies/routing-policy.ts';
import type { Offer } from '../../core/routing/snapshot.ts';
import type { Arena } from '../../io/shared-memory/arena.ts';

export class ThreadCounters implements CounterSource {
  readonly #arena: Arena;
  readonly #wallMs: () => number;
  readonly #gatesOf: (offer: Offer) => number;

  /** `wallMs` is the clock that all threads share; `gatesOf` gives bits of `gates` (decide.ts). */
  constructor(arena: Arena, wallMs: () => number, gatesOf: (offer: Offer) => number) {
    this.#arena = arena;
    this.#wallMs = wallMs;
    this.#gatesOf = gatesOf;
  }

  read(offer: Offer, reads: number): Reading {
    const { slot, generation } = offer.target;
    const arena = this.#arena;
    const seen = arena.glance(slot);
    const readsEngine = (reads & figures.engine) !== 0;
    return {
      isCurrent: seen.generation === generation,
      statusCode: seen.statusCode,
      pending: seen.pending,
      capacity: seen.capacity,
      latencyMs: seen.latencyMs,
      gates: this.#gatesOf(offer),
      peakMs: (reads & figures.peak) === 0 ? 0 : arena.peakMs(slot, this.#wallMs()),
      tokens: (reads & figures.tokens) === 0 ? 0 : arena.tokens(slot),
      engineRequests: readsEngine ? arena.engineRequests(slot) : -1,
      kvUse: readsEngine ? arena.kvUse(slot) : -1,
    };
  }
}
