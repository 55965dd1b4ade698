// What a client is told whose request a limit of its key, its group or the installation does not admit.

import type { AdmissionLimit } from '../../core/policy/admission.ts';
import { durationText, type LimitScope } from '../../core/policy/usage-limit.ts';
import { usdOf } from '../../core/usage/money.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';

const scopeWords: Readonly<Record<LimitScope, string>> = {
  key: 'This key',
  group: 'The group of this key',
  installation: 'The installation',
};

/** `rate_limit_exceeded`, of the type `tokens` or `requests`, with the time until it is admitted. */
export function limitRefusal(limit: AdmissionLimit): Refusal {
  const { scope, kind, bound, left, retryMs } = limit;
  const who = scopeWords[scope];
  const context = { scope, limit: bound, left };
  if (kind === 'concurrency') {
    const words = `${who} may have ${bound} requests in flight, and has. Wait for one to finish.`;
    return refusal('rate_limit_exceeded', words, { context });
  }
  const words = `${who} may use ${bound} ${kind} a minute and has ${left} left; this request is admitted in ${durationText(retryMs)}.`;
  const retryAfterMs = retryMs;
  return refusal('rate_limit_exceeded', words, { context, limit: kind, retryAfterMs });
}

export type SpentBudget = {
  readonly scope: LimitScope;
  /** Micro-USD of the month: the budget, and what is spent and booked of it. */
  readonly budget: number;
  readonly spent: number;
  /** What the request may cost; undefined where nothing is left for any. */
  readonly estimate: number | undefined;
};

/** `insufficient_quota`: no repetition helps before the month is over or the budget is raised. */
export function quotaRefusal({ scope, budget, spent, estimate }: SpentBudget): Refusal {
  const usd = (microUsd: number): string => `${usdOf(microUsd)} USD`;
  const left = Math.max(0, budget - spent);
  const asked = estimate === undefined ? '' : ` This request may cost ${usd(estimate)}.`;
  const words = `${scopeWords[scope]} has ${usd(left)} left of its budget of ${usd(budget)} for this month.${asked}`;
  return refusal('insufficient_quota', words, { context: { scope } });
}
