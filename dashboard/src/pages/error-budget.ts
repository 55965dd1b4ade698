// The error budget of an objective as a person can judge it: as a share and as the time that may
// still be lost. An objective of 99 % over 30 days leaves 1 % of 30 days, which is 7 h 12 m.

import type { PolicyViewWire } from '../api/wire.ts';
import { formatCount, formatShare, noData } from '../format/numbers.ts';
import { formatSpan } from '../format/time.ts';

type Slo = PolicyViewWire['slo'];

const dayMs = 86_400_000;

/** Milliseconds that may fail in the period, were all of it to fail; 0 for an objective of 1. */
export function budgetMs({ objective, period_days }: Slo): number {
  // Rounded, because 1 − 0.99 is not 0.01.
  return Math.round((1 - objective) * period_days * dayMs);
}

/** `61 % = 4 h 23 m of 7 h 12 m`; a dash without requests. An overdrawn budget is told as such. */
export function budgetWords(slo: Slo): string {
  const { budget_left: left } = slo;
  if (left === null) return noData;
  const whole = budgetMs(slo);
  if (left <= 0) return `none of ${formatSpan(whole)}`;
  return `${formatShare(left, 1)} = ${formatSpan(left * whole)} of ${formatSpan(whole)}`;
}

/** `412 of 91 000 requests missed it in 30 days` */
export function missedWords({ requests, bad, period_days }: Slo): string {
  if (requests === 0) return `No request was counted in ${period_days} days.`;
  return `${formatCount(bad)} of ${formatCount(requests)} requests missed it in ${period_days} days.`;
}
