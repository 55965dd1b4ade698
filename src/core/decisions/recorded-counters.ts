// The figures that a decision read, given back to the function that read them: they stand in the
// record by the place of an offer, and are asked for by the slot of its backend.

import type { CounterSource } from '../routing/decide.ts';
import type { Offer } from '../routing/snapshot.ts';
import type { CandidateColumns } from './candidate-columns.ts';

export class RecordedCounters implements CounterSource {
  /** Slot -> place among the candidates. Slots that the present decision has not are stale. */
  #places = new Uint32Array(64);
  #columns: CandidateColumns | undefined;
  #generations = new Float64Array(16);

  /** Readings of `columns` for these offers, in their order (R2); there are as many of both. */
  show(columns: CandidateColumns, offers: readonly Offer[]): void {
    this.#columns = columns;
    if (this.#generations.length < offers.length)
      this.#generations = new Float64Array(offers.length);
    for (let i = 0; i < offers.length; i++) {
      const { slot, generation } = (offers[i] as Offer).target;
      if (slot >= this.#places.length) this.#grow(slot);
      this.#places[slot] = i;
      this.#generations[i] = columns.isCurrent[i] === 1 ? generation : generation + 1;
    }
  }

  #grow(slot: number): void {
    const larger = new Uint32Array(2 * (slot + 1));
    larger.set(this.#places);
    this.#places = larger;
  }

  pending(slot: number): number {
    return this.#columns?.pending[this.#places[slot] as number] ?? 0;
  }

  capacityOf(slot: number): number {
    return this.#columns?.capacity[this.#places[slot] as number] ?? 0;
  }

  latencyMs(slot: number): number {
    return this.#columns?.latencyMs[this.#places[slot] as number] ?? 0;
  }

  statusCode(slot: number): number {
    return this.#columns?.statusCode[this.#places[slot] as number] ?? 0;
  }

  generationOf(slot: number): number {
    return this.#generations[this.#places[slot] as number] ?? 0;
  }
}
