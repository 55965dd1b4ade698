// The live figures of a simulated fleet, kept by the rules of the product's arena
// (io/shared-memory/arena.ts), so that a decision reads here what it would read there.
//
//   B1  pending is the number of leases of the slot that were not given back.
//   B2  The first-byte average is an integer EMA with alpha 0.2: floor((sample + 4 old) / 5); an
//       average of 0 is replaced, and samples are whole milliseconds.

import { assert } from '../../base/assert.ts';
import { type CounterSource, type Reading, unread } from '../routing/decision-input.ts';
import type { Offer } from '../routing/snapshot.ts';
import { slotGeneration } from './fleet.ts';

const healthyCode = 1;

export class BackendCounters implements CounterSource {
  readonly #pending: Uint32Array;
  readonly #capacity: Uint32Array;
  readonly #firstByteMs: Uint32Array;

  constructor(capacities: readonly number[]) {
    this.#pending = new Uint32Array(capacities.length);
    this.#capacity = Uint32Array.from(capacities);
    this.#firstByteMs = new Uint32Array(capacities.length);
  }

  lease(slot: number): void {
    this.#pending[slot] = this.pending(slot) + 1;
  }

  release(slot: number): void {
    assert(this.pending(slot) > 0, `B1: slot ${slot} gives back what it does not hold`);
    this.#pending[slot] = this.pending(slot) - 1;
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
  read({ target: { slot, generation } }: Offer): Reading {
    return {
      ...unread,
      isCurrent: generation === slotGeneration,
      statusCode: healthyCode,
      pending: this.pending(slot),
      capacity: this.#capacity[slot] ?? 0,
      latencyMs: this.latencyMs(slot),
      peakMs: this.latencyMs(slot),
    };
  }
}
