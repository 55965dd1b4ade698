// What a routing record says of each backend that lists the model, in columns by its place among the
// candidates: flat arrays that grow to the largest record met and are used again.

import { type Reading, unread } from '../routing/decision-input.ts';

/** Part of the codec: what a bit means never changes. */
export const columnBits = { gates: 1, peak: 2, tokens: 4, engine: 8, kvUse: 16 } as const;
export const columnsMax = 31;

const firstRoom = 16;

export class CandidateColumns {
  count = 0;
  /** Codes of stagesInOrder; 0 for a candidate. */
  stage = new Uint8Array(firstRoom);
  statusCode = new Uint8Array(firstRoom);
  /** 1 where the slot was still the backend's. */
  isCurrent = new Uint8Array(firstRoom);
  pending = new Float64Array(firstRoom);
  capacity = new Float64Array(firstRoom);
  latencyMs = new Float64Array(firstRoom);
  /** 0 for an excluded backend. */
  score = new Float64Array(firstRoom);
  /** Bits of {@link columnBits}: which of those below were written down; the others are unread. */
  more = 0;
  gates = new Uint8Array(firstRoom);
  peakMs = new Float64Array(firstRoom);
  tokens = new Float64Array(firstRoom);
  engineRequests = new Float64Array(firstRoom);
  kvUse = new Float64Array(firstRoom);

  /** Room for `count` candidates, whose figures are to be written. */
  resize(count: number): void {
    this.count = count;
    if (count <= this.stage.length) return;
    this.stage = new Uint8Array(count);
    this.statusCode = new Uint8Array(count);
    this.isCurrent = new Uint8Array(count);
    this.pending = new Float64Array(count);
    this.capacity = new Float64Array(count);
    this.latencyMs = new Float64Array(count);
    this.score = new Float64Array(count);
    this.gates = new Uint8Array(count);
    this.peakMs = new Float64Array(count);
    this.tokens = new Float64Array(count);
    this.engineRequests = new Float64Array(count);
    this.kvUse = new Float64Array(count);
  }

  /** The reading of the candidate in this place. */
  readingOf(i: number): Reading {
    const { more } = this;
    const has = (bit: number): boolean => (more & bit) !== 0;
    return {
      isCurrent: this.isCurrent[i] === 1,
      statusCode: this.statusCode[i] ?? 0,
      pending: this.pending[i] ?? 0,
      capacity: this.capacity[i] ?? 0,
      latencyMs: this.latencyMs[i] ?? 0,
      gates: has(columnBits.gates) ? (this.gates[i] ?? 0) : unread.gates,
      peakMs: has(columnBits.peak) ? (this.peakMs[i] ?? 0) : unread.peakMs,
      tokens: has(columnBits.tokens) ? (this.tokens[i] ?? 0) : unread.tokens,
      engineRequests: has(columnBits.engine)
        ? (this.engineRequests[i] ?? 0)
        : unread.engineRequests,
      kvUse: has(columnBits.kvUse) ? (this.kvUse[i] ?? 0) : unread.kvUse,
    };
  }
}

/** Columns that a reading needs beyond the usual ones: those in which it is not unread. */
export function columnsOf(reading: Reading): number {
  return (
    (reading.gates === unread.gates ? 0 : columnBits.gates) |
    (reading.peakMs === unread.peakMs ? 0 : columnBits.peak) |
    (reading.tokens === unread.tokens ? 0 : columnBits.tokens) |
    (reading.engineRequests === unread.engineRequests ? 0 : columnBits.engine) |
    (reading.kvUse === unread.kvUse ? 0 : columnBits.kvUse)
  );
}
