// The live figures of a simulated fleet, kept by the rules of the product's arena
// (io/shared-memory/arena.ts), so that a decision reads here what it would read there.
//
//   B1  pending is the number of leases of the slot that were not given back.
//   B2  tokens is the sum of those of these leases.
//   B3  The first-byte average is an integer EMA with alpha 0.2: floor((sample + 4 old) / 5); an
//       average of 0 is replaced, and samples are whole milliseconds.

import { assert } from '../../base/assert.ts';
import { type CounterSource, type Reading, unread } from '../routing/decision-input.ts';
import { figures } from '../routing/policies/routing-policy.ts';
import type { Offer } from '../routing/snapshot.ts';
import { slotGeneration } from './fleet.ts';

const healthyCode = 1;

/** What a simulated fleet counts with, and its decisions read; a slot is the place of an engine. */
export interface FleetCounters extends CounterSource {
  /** Requests in flight. */
  pending(slot: number): number;
  /** One request more in flight, of so many tokens. */
  lease(slot: number, tokens: number): void;
  /** Gives back one lease of as many tokens. */
  release(slot: number, tokens: number): void;
  /** How long the engine took for a first byte that came at `atUs`, both microseconds. */
  recordFirstByte(slot: number, us: number, atUs: number): void;
}

export class BackendCounters implements FleetCounters {
  readonly #pending: Uint32Array;
  readonly #tokens: Float64Array;
  readonly #capacity: Uint32Array;
  readonly #firstByteMs: Uint32Array;

  constructor(capacities: readonly number[]) {
    this.#pending = new Uint32Array(capacities.length);
    this.#tokens = new Float64Array(capacities.length);
    this.#capacity = Uint32Array.from(capacities);
    this.#firstByteMs = new Uint32Array(capacities.length);
  }

  lease(slot: number, tokens: number): void {
    this.#pending[slot] = this.pending(slot) + 1;
    this.#tokens[slot] = this.#tokensOf(slot) + tokens;
  }

  release(slot: number, tokens: number): void {
    assert(this.pending(slot) > 0, `B1: slot ${slot} gives back what it does not hold`);
    assert(this.#tokensOf(slot) >= tokens, `B2: slot ${slot} gives back what it does not hold`);
    this.#pending[slot] = this.pending(slot) - 1;
    this.#tokens[slot] = this.#tokensOf(slot) - tokens;
  }

  #tokensOf(slot: number): number {
    return this.#tokens[slot] ?? 0;
  }

  /** Blends in how long the engine took for its first byte, microseconds. */
  recordFirstByte(slot: number, us: number): void {
    const sample = Math.trunc(us / 1000);
    const old = this.latencyMs(slot);
    this.#firstByteMs[slot] = old === 0 ? sample : Math.floor((sample + 4 * old) / 5);
  }

  pending(slot: number): number {
    return this.#pending[slot] ?? 0;
  }

  latencyMs(slot: number): number {
    return this.#firstByteMs[slot] ?? 0;
  }

  /** As the peak average stands the plain one: a simulated backend has no bad moments of its own. */
  read({ target: { slot, generation } }: Offer, reads: number): Reading {
    return {
      ...unread,
      isCurrent: generation === slotGeneration,
      statusCode: healthyCode,
      pending: this.pending(slot),
      capacity: this.#capacity[slot] ?? 0,
      latencyMs: this.latencyMs(slot),
      peakMs: this.latencyMs(slot),
      tokens: (reads & figures.tokens) === 0 ? 0 : this.#tokensOf(slot),
    };
  }
}
