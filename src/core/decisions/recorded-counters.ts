// The figures that a decision read, given back to the function that read them: they stand in the
// record by the place of an offer, and are asked for by the slot of its backend.

import { type CounterSource, type Reading, unread } from '../routing/decision-input.ts';
import type { Offer } from '../routing/snapshot.ts';
import type { CandidateColumns } from './candidate-columns.ts';

const nothing: Reading = {
  isCurrent: false,
  statusCode: 0,
  pending: 0,
  capacity: 0,
  latencyMs: 0,
  ...unread,
};

export class RecordedCounters implements CounterSource {
  /** Slot -> place among the candidates. Slots that the present decision has not are stale. */
  #places = new Uint32Array(64);
  #columns: CandidateColumns | undefined;

  /** Readings of `columns` for these offers, in their order (R2); there are as many of both. */
  show(columns: CandidateColumns, offers: readonly Offer[]): void {
    this.#columns = columns;
    for (let i = 0; i < offers.length; i++) {
      const { slot } = (offers[i] as Offer).target;
      if (slot >= this.#places.length) this.#grow(slot);
      this.#places[slot] = i;
    }
  }

  #grow(slot: number): void {
    const larger = new Uint32Array(2 * (slot + 1));
    larger.set(this.#places);
    this.#places = larger;
  }

  read({ target }: Offer): Reading {
    const place = this.#places[target.slot] as number;
    return this.#columns?.readingOf(place) ?? nothing;
  }
}
