// What happened, when: one entry of the audit and observability timeline (platform specification
// A.3). Timestamps are integers in one unit per timeline; the functions beside this file keep to
// whatever unit they are given.

import { compareNumbers, compareText } from '../../base/compare.ts';

export type TimedEvent = {
  readonly id: string;
  /** A safe integer. */
  readonly timestamp: number;
  readonly kind: string;
  /** Readonly data, handed on as it came. */
  readonly payload: unknown;
};

/** The order of a timeline (rule RD4): timestamp, then id by code unit. */
export function compareEvents(a: TimedEvent, b: TimedEvent): number {
  return compareNumbers(a.timestamp, b.timestamp) || compareText(a.id, b.id);
}
