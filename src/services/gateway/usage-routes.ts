// Usage on the control API: requests, tokens and cost, summed as the caller asks. Whoever may read the
// telemetry of the platform sees all groups, anybody else at most the own one.

import { type Instant, instant, toRfc3339 } from '../../base/time.ts';
import { usdOf } from '../../core/usage/money.ts';
import { monthMs, monthOf } from '../../core/usage/month.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { type ControlRoute, json, type Principal, signedIn } from '../../io/http/control-route.ts';
import { requireStorable } from '../../io/postgres/storable-text.ts';
import type {
  UsageFiguresRow,
  UsageQuery,
  UsageStore,
  UsageSumRow,
} from '../../io/postgres/usage-store.ts';
import type { LimitWire } from '../../protocol/control/limit-schemas.ts';
import {
  type BudgetWire,
  type UsageRowWire,
  type UsageWire,
  usageQuerySchema,
  usageSchema,
} from '../../protocol/control/usage-schemas.ts';

export type UsageRoutesOptions = {
  readonly store: Pick<UsageStore, 'read'>;
  readonly now: () => Instant;
  /** Has what was used so far written to the store, as far as it answers. */
  readonly flush: () => Promise<void>;
  readonly prices: () => { readonly dated: string; readonly isBuiltIn: boolean };
  readonly budget: () => BudgetWire | undefined;
  readonly limitsOf: (principal: Principal) => readonly LimitWire[];
};

const hourMs = 3_600_000;
const limitMax = 1000;

/** The groups whose usage is read; empty for all. Throws `permission_denied`. */
function groupsFor(principal: Principal, asked: readonly string[]): readonly string[] {
  const { permissions, groupName } = principal;
  if (permissions.has('telemetry:read')) return asked;
  const isOwn = asked.every((group) => group === groupName);
  if (permissions.has('group:read') && isOwn) return [groupName];
  const words = permissions.has('group:read')
    ? `Only the usage of the group ${groupName} may be read with this credential.`
    : 'Reading usage needs telemetry:read, or group:read for the own group.';
  throw new TensorForgeError('permission_denied', words);
}

function storeQuery(principal: Principal, given: unknown, now: Instant): UsageQuery {
  const query = usageQuerySchema.parse(given);
  const { group, key, model, backend, by, limit, offset } = query;
  for (const text of [...group, ...key, ...model, ...backend]) requireStorable(text, 'query');
  const from = query.from === undefined ? monthMs(monthOf(now)) : Date.parse(query.from);
  const to = query.to === undefined ? now + 1 : Date.parse(query.to);
  if (from >= to) {
    throw new TensorForgeError('invalid_request', 'from must be before to', { param: 'from' });
  }
  return {
    fromHour: Math.max(0, Math.floor(from / hourMs)),
    toHour: Math.max(0, Math.ceil(to / hourMs)),
    groups: groupsFor(principal, group),
    keys: key,
    models: model,
    backends: backend,
    by: by.length === 0 ? ['model'] : [...new Set(by)],
    limit: Math.min(limit, limitMax),
    offset,
  };
}

function figuresWire(row: UsageFiguresRow): UsageWire['total'] {
  return {
    requests: row.requests,
    succeeded: row.succeeded,
    refused: row.refused,
    failed: row.failed,
    aborted: row.aborted,
    prompt_tokens: row.promptTokens,
    completion_tokens: row.completionTokens,
    cached_tokens: row.cachedTokens,
    backend_seconds: row.backendMs / 1000,
    cost_usd: row.priced === 0 && row.unpriced > 0 ? null : usdOf(row.costMicroUsd),
    unpriced_requests: row.unpriced,
  };
}

function rowWire({ of, ...figures }: UsageSumRow): UsageRowWire {
  const { key, group, backend, ...same } = of;
  return {
    ...same,
    ...(key === undefined ? {} : { key_id: key }),
    ...(group === undefined ? {} : { group_name: group }),
    ...(backend === undefined ? {} : { backend_id: backend }),
    ...figuresWire(figures),
  };
}

export function usageRoutes(options: UsageRoutesOptions): ControlRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/usage',
      needs: signedIn,
      service: 'gateway',
      summary: 'Requests, tokens and cost by time, model, key, group or backend',
      query: usageQuerySchema,
      answer: usageSchema,
      handle: async (call) => {
        const query = storeQuery(call.principal, call.query, options.now());
        await options.flush();
        const { total, count, rows } = await options.store.read(query);
        const { dated, isBuiltIn } = options.prices();
        const answer: UsageWire = {
          count,
          from: toRfc3339(instant(query.fromHour * hourMs)),
          to: toRfc3339(instant(query.toHour * hourMs)),
          usage: rows.map(rowWire),
          total: figuresWire(total),
          prices: { dated, built_in: isBuiltIn },
          budget: options.budget() ?? null,
          limits: [...options.limitsOf(call.principal)],
        };
        return json(answer);
      },
    },
  ];
}
