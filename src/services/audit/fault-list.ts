// The faults of one verification: of each stream, table or file the first bad place, since what
// follows it is bad for the same reason; and apart from those the first place where time runs back.

import { compareNumbers, compareText } from '../../base/compare.ts';
import { timeReversed } from '../../core/events/trail-check.ts';
import type { AuditFault } from './trail-source.ts';

/** A clock that was set back: told, but no sign that anything was changed. */
export function isReversal({ reason }: AuditFault): boolean {
  return reason === timeReversed;
}

/** `stream identity at sequence 42: wrong_hash`. */
export function faultWords(fault: AuditFault): string {
  const kind = { events: 'stream', digests: '', segments: 'segment', snapshots: 'snapshot' };
  const place = [
    fault.sequence === null ? '' : ` at sequence ${fault.sequence}`,
    fault.offset === null ? '' : ` at byte ${fault.offset}`,
  ].join('');
  return `${kind[fault.where]} ${fault.name}${place}: ${fault.reason}`.trim();
}

export class FaultList {
  readonly #faults = new Map<string, AuditFault>();

  /** Keeps the fault unless an earlier place of the same is known. */
  add(fault: AuditFault): void {
    const key = `${fault.where} ${fault.name} ${isReversal(fault)}`;
    const known = this.#faults.get(key);
    if (known !== undefined && (known.sequence ?? 0) <= (fault.sequence ?? 0)) return;
    this.#faults.set(key, fault);
  }

  /** Breaks first, then reversals; by place. */
  all(): readonly AuditFault[] {
    return [...this.#faults.values()].sort(
      (a, b) =>
        compareNumbers(Number(isReversal(a)), Number(isReversal(b))) ||
        compareText(a.where, b.where) ||
        compareText(a.name, b.name) ||
        compareNumbers(a.sequence ?? 0, b.sequence ?? 0),
    );
  }
}
