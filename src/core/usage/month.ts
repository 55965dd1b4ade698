// Months of the calendar, UTC, as whole numbers since January 1970: what budgets are counted by. They
// begin on the 1st at 00:00:00.000 UTC, whatever the time zone of the machine.

export const monthMs = (month: number): number => Date.UTC(1970, month, 1);

/** The month of `unixMs`. */
export function monthOf(unixMs: number): number {
  const date = new Date(unixMs);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

/** `2026-11`. */
export function monthText(month: number): string {
  return new Date(monthMs(month)).toISOString().slice(0, 7);
}

/** The month of many moments that come in order: the calendar is asked once a month. */
export class MonthClock {
  #month = 0;
  #beginMs = 0;
  #endMs = 0;

  at(unixMs: number): number {
    if (unixMs < this.#beginMs || unixMs >= this.#endMs) {
      this.#month = monthOf(unixMs);
      this.#beginMs = monthMs(this.#month);
      this.#endMs = monthMs(this.#month + 1);
    }
    return this.#month;
  }
}
