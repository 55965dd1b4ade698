// A recorded fact as replay sees it, and the one order in which facts are applied.

import type { Json } from '../../base/canonical.ts';
import { compareNumbers, compareText } from '../../base/compare.ts';
import { type Fault, invalid } from '../../base/fault.ts';

export type ReplayEvent = {
  /** The thing that the event is about; later sequences of one id supersede earlier ones. */
  readonly id: string;
  /** Place in the stream: a safe integer. In a raw history each sequence names one event. */
  readonly sequence: number;
  readonly payload?: Json | undefined;
};

/** Ascending sequence, then id (RD4). Sequences must not be NaN. */
export function compareReplayEvents(a: ReplayEvent, b: ReplayEvent): number {
  return compareNumbers(a.sequence, b.sequence) || compareText(a.id, b.id);
}

export type UnsafeSequence = Fault<'invalid_replay_event'>;

/** The fault of the first event whose sequence has no place in an order. */
export function findUnsafeSequence(events: readonly ReplayEvent[]): UnsafeSequence | undefined {
  const unsafe = events.find(({ sequence }) => !Number.isSafeInteger(sequence));
  if (unsafe === undefined) return undefined;
  const violation = { field: 'sequence', value: unsafe.sequence, bound: 'a safe integer' };
  return invalid('invalid_replay_event', `event "${unsafe.id}"`, [violation]);
}
