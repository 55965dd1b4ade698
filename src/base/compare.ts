// Orders that do not depend on the machine: strings compare by code unit, never by locale.

/** -1, 0 or 1 by UTF-16 code unit. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Ascending numbers; NaN is not allowed. */
export function compareNumbers(a: number, b: number): number {
  return a - b;
}
