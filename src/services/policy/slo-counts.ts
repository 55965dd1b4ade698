// The counts that burn rates and the error budget are made of: per minute for three days, per day for
// the longest period. Kept in memory, and told to the database slot by slot as they change.

import { burnMinutes, minuteOf } from '../../core/policy/burn-rate.ts';
import { OutcomeCounts, type Outcomes } from '../../core/policy/outcome-counts.ts';
import type { SlotCounts } from '../../io/postgres/serving-mode-store.ts';

const dayMinutes = 1440;
/** The longest period that can be configured, in days, and today. */
const daysMax = 91;

/** Slots that changed since they were last taken. */
type ChangedSlots = {
  readonly minutes: readonly SlotCounts[];
  readonly days: readonly SlotCounts[];
};

export class SloCounts {
  readonly minutes: OutcomeCounts = new OutcomeCounts(burnMinutes);
  readonly #days = new OutcomeCounts(daysMax);
  readonly #changed = new Set<number>();

  /** What was stored comes back; the counts of the rings start empty. */
  restore(minutes: readonly SlotCounts[], days: readonly SlotCounts[]): void {
    for (const { slot, ...outcomes } of minutes) this.minutes.add(slot, outcomes);
    for (const { slot, ...outcomes } of days) this.#days.add(slot, outcomes);
  }

  add(atMs: number, outcomes: Outcomes): void {
    if (outcomes.total === 0) return;
    const minute = minuteOf(atMs);
    this.minutes.add(minute, outcomes);
    this.#days.add(Math.floor(minute / dayMinutes), outcomes);
    this.#changed.add(minute);
  }

  /** The outcomes of the last `days` days (UTC), today among them. */
  period(atMs: number, days: number): Outcomes {
    const today = Math.floor(minuteOf(atMs) / dayMinutes);
    return this.#days.sum(today - days + 1, today);
  }

  /** The changed slots as they are now; they count as told from here on. */
  take(): ChangedSlots {
    const minutes = [...this.#changed];
    const days = new Set(minutes.map((minute) => Math.floor(minute / dayMinutes)));
    this.#changed.clear();
    return {
      minutes: minutes.map((slot) => ({ slot, ...this.minutes.get(slot) })),
      days: [...days].map((slot) => ({ slot, ...this.#days.get(slot) })),
    };
  }

  /** The oldest slots that are still of use. */
  static firstSlots(atMs: number): { readonly firstMinute: number; readonly firstDay: number } {
    const minute = minuteOf(atMs);
    return {
      firstMinute: Math.max(0, minute - burnMinutes + 1),
      firstDay: Math.max(0, Math.floor(minute / dayMinutes) - daysMax + 1),
    };
  }
}
