// A limit as people and programs read it, with what is left of it now.

import { type Instant, toRfc3339 } from '../../base/time.ts';
import { usdOf } from '../../core/usage/money.ts';
import { installationId, type LimitWire } from '../../protocol/control/limit-schemas.ts';
import type { LimitedScope } from './thread-limits.ts';

/** A limit that is set, when and by whom. */
export type SetLimit = LimitedScope & { readonly changedAt: Instant; readonly changedBy: string };

function given<V>(bound: number | undefined, value: (bound: number) => V): V | null {
  return bound === undefined ? null : value(bound);
}

function leftOf({ limit, words }: LimitedScope, now: number, month: number): LimitWire['left'] {
  const spent = words.spend.spent(month);
  return {
    requests: given(limit.requestsPerMinute, (bound) => words.requests.left(bound, now)),
    tokens: given(limit.tokensPerMinute, (bound) => words.tokens.left(bound, now)),
    concurrent_requests: given(limit.concurrentRequests, (bound) =>
      Math.max(0, bound - words.inFlight),
    ),
    month_budget_usd: given(limit.monthBudgetMicroUsd, (bound) =>
      usdOf(Math.max(0, bound - spent)),
    ),
  };
}

/** `now`: units since the origin of the meters; `month` since January 1970. */
export function limitView(held: SetLimit, now: number, month: number): LimitWire {
  const { scope, id, limit, changedAt, changedBy } = held;
  return {
    scope,
    id: scope === 'installation' ? installationId : id,
    requests_per_minute: limit.requestsPerMinute ?? null,
    tokens_per_minute: limit.tokensPerMinute ?? null,
    concurrent_requests: limit.concurrentRequests ?? null,
    month_budget_usd: given(limit.monthBudgetMicroUsd, usdOf),
    max_priority_class: limit.maxPriorityClass ?? null,
    models: [...limit.models],
    zones: [...limit.zones],
    left: leftOf(held, now, month),
    changed_at: toRfc3339(changedAt),
    changed_by: changedBy,
  };
}
