// The counters of a simulated fleet in the real arena, read as a gateway thread reads them; the clock is
// that of the simulation. So a decision meets the figures, averages and rounding of the product.
import { present } from '../../src/base/assert.ts';
import type { Reading } from '../../src/core/routing/decision-input.ts';
import type { Offer } from '../../src/core/routing/snapshot.ts';
import type { FleetCounters } from '../../src/core/simulation/backend-counters.ts';
import { Arena, type ArenaHandle } from '../../src/io/shared-memory/arena.ts';
import { ThreadCounters } from '../../src/services/gateway/thread-counters.ts';

const thread = 0;

export class ArenaCounters implements FleetCounters {
  readonly #arena: Arena;
  readonly #handles: readonly ArenaHandle[];
  readonly #read: ThreadCounters;
  #nowMs = 0;

  constructor(engines: number) {
    this.#arena = Arena.create({ capacity: engines, threads: 1 });
    this.#handles = Array.from({ length: engines }, (_, slot) => this.#arena.open(slot, 0));
    for (const handle of this.#handles) this.#arena.setStatus(handle, 'healthy');
    this.#read = new ThreadCounters(
      this.#arena,
      () => this.#nowMs,
      () => 0,
    );
  }

  pending(slot: number): number {
    return this.#arena.glance(slot).pending;
  }

  lease(slot: number, tokens: number): void {
    this.#arena.increment(this.#handle(slot), thread);
    this.#arena.addTokens(this.#handle(slot), tokens, thread);
  }

  release(slot: number, tokens: number): void {
    this.#arena.decrement(this.#handle(slot), thread);
    this.#arena.addTokens(this.#handle(slot), -tokens, thread);
  }

  recordFirstByte(slot: number, us: number, atUs: number): void {
    this.#nowMs = Math.trunc(atUs / 1000);
    this.#arena.recordFirstByte(this.#handle(slot), us / 1000);
    this.#arena.recordPeak(this.#handle(slot), us / 1000, this.#nowMs);
  }

  read(offer: Offer, reads: number): Reading {
    return this.#read.read(offer, reads);
  }

  #handle(slot: number): ArenaHandle {
    return present(this.#handles[slot], `engine ${slot}`);
  }
}
