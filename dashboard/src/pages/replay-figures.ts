// The figures of a report that a page adds up: shifts between backends whose sums must agree, and
// what was read by kind. A sum that does not agree is told, because then the report is wrong.

import type { ReplayReportWire } from '../api/wire.ts';
import {
  formatCount,
  formatShare,
  formatSignificant,
  noData,
  thinSpace,
} from '../format/numbers.ts';

export type Candidate = NonNullable<ReplayReportWire['candidate']>;
type Shift = Candidate['shifts'][number];

export type ShiftRow = {
  readonly name: string;
  readonly recorded: string;
  readonly candidate: string;
  readonly shift: string;
  readonly isSum: boolean;
};

function signed(count: number): string {
  return count > 0 ? `+${formatCount(count)}` : formatCount(count);
}

function withShare(count: number, all: number): string {
  return `${formatCount(count)} (${formatShare(count, all)})`;
}

function sumOf(shifts: readonly Shift[]): {
  readonly recorded: number;
  readonly candidate: number;
} {
  let recorded = 0;
  let candidate = 0;
  for (const shift of shifts) {
    recorded += shift.recorded;
    candidate += shift.candidate;
  }
  return { recorded, candidate };
}

/** One row for each backend, and the sum of all of them as the last. */
export function shiftRows(shifts: readonly Shift[]): readonly ShiftRow[] {
  const sum = sumOf(shifts);
  const rows = shifts.map(
    ({ backend_id: name, recorded, candidate }): ShiftRow => ({
      name,
      recorded: withShare(recorded, sum.recorded),
      candidate: withShare(candidate, sum.candidate),
      shift: signed(candidate - recorded),
      isSum: false,
    }),
  );
  const last: ShiftRow = {
    name: 'Sum',
    recorded: formatCount(sum.recorded),
    candidate: formatCount(sum.candidate),
    shift: signed(sum.candidate - sum.recorded),
    isSum: true,
  };
  return [...rows, last];
}

/** Undefined when both sums are the same: every decision went somewhere, or was refused. */
export function shiftFault(shifts: readonly Shift[]): string | undefined {
  const { recorded, candidate } = sumOf(shifts);
  if (recorded === candidate) return undefined;
  return `The sums differ: ${formatCount(recorded)} recorded, ${formatCount(candidate)} under the candidate. This is a fault of TensorForge.`;
}

/** `4 812 decisions = 1 604 admitted + 3 208 routed` */
export function kindWords({ decisions, by_kind: kinds }: ReplayReportWire): string {
  const parts = Object.entries(kinds).map(([kind, count]) => `${formatCount(count)} ${kind}`);
  const whole = `${formatCount(decisions)} decisions`;
  return parts.length === 0 ? whole : `${whole} = ${parts.join(' + ')}`;
}

/** Decisions per second of the replay itself; a dash before the first moment. */
export function paceWords({ decisions, seconds }: ReplayReportWire): string {
  if (seconds <= 0) return noData;
  return `${formatCount(decisions)} in ${formatSignificant(seconds)}${thinSpace}s, ${formatSignificant(decisions / seconds)}/s`;
}
