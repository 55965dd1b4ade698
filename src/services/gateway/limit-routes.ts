// Limits on the control API. Whoever may change the configuration sets all of them; an admin of a group
// those of the group's keys, never that of the group itself. Members read what holds for their group.

import { microUsdOf } from '../../core/usage/money.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import {
  type ControlCall,
  type ControlRoute,
  json,
  type Principal,
  pageOf,
  signedIn,
} from '../../io/http/control-route.ts';
import type { StoredLimit, StoredScope } from '../../io/postgres/limit-store.ts';
import {
  installationId,
  type LimitSetWire,
  limitListSchema,
  limitSchema,
  limitScopeSchema,
  limitSetSchema,
} from '../../protocol/control/limit-schemas.ts';
import { pageQuerySchema } from '../../protocol/control/schemas.ts';
import type { UsageLimits } from './usage-limits.ts';

const path = '/api/v1/limits/:scope/:id';

/** Throws `not_found` for what is no scope, or no id of one. */
function scopeOf({ params }: ControlCall): StoredScope {
  const scope = limitScopeSchema.safeParse(params['scope']);
  const id = params['id'] ?? '';
  if (!scope.success) {
    const words = `There is no scope “${(params['scope'] ?? '').slice(0, 100)}”: a scope is installation, group or key.`;
    throw new TensorForgeError('not_found', words);
  }
  if (scope.data !== 'installation') return { scope: scope.data, id };
  if (id === installationId) return { scope: 'installation', id: '' };
  const words = `The limit of the installation is /api/v1/limits/installation/${installationId}.`;
  throw new TensorForgeError('not_found', words);
}

/** Throws `invalid_request` for a budget of the installation, which is the configuration's. */
function storedLimit(scope: StoredScope, wire: LimitSetWire): StoredLimit {
  const { month_budget_usd: budget } = wire;
  if (scope.scope === 'installation' && budget !== null) {
    const words =
      'month_budget_usd of the installation is budget.monthly_limit_usd in its configuration.';
    throw new TensorForgeError('invalid_request', words, { param: 'month_budget_usd' });
  }
  return {
    ...scope,
    requestsPerMinute: wire.requests_per_minute ?? undefined,
    tokensPerMinute: wire.tokens_per_minute ?? undefined,
    concurrentRequests: wire.concurrent_requests ?? undefined,
    monthBudgetMicroUsd: budget === null ? undefined : microUsdOf(budget),
    maxPriorityClass: wire.max_priority_class ?? undefined,
    models: wire.models,
    zones: [...new Set(wire.zones)],
  };
}

function seesAll({ permissions }: Principal): boolean {
  return permissions.has('config:write') || permissions.has('telemetry:read');
}

function denied(words: string): TensorForgeError {
  return new TensorForgeError('permission_denied', words);
}

export function limitRoutes(limits: UsageLimits): ControlRoute[] {
  /** Is it the caller's own group, or a key of it? */
  const isOwn = async ({ groupName }: Principal, { scope, id }: StoredScope): Promise<boolean> => {
    if (scope === 'group') return id === groupName;
    return scope === 'key' && (await limits.groupOfKey(id)) === groupName;
  };
  const requireRead = async (principal: Principal, scope: StoredScope): Promise<void> => {
    if (seesAll(principal)) return;
    if (principal.permissions.has('group:read') && (await isOwn(principal, scope))) return;
    throw denied(
      'Reading this limit needs telemetry:read or config:write, or group:read for the own group.',
    );
  };
  const requireWrite = async (principal: Principal, scope: StoredScope): Promise<void> => {
    if (principal.permissions.has('config:write')) return;
    const isAdmin = principal.permissions.has('group:admin') && scope.scope === 'key';
    if (isAdmin && (await isOwn(principal, scope))) return;
    throw denied(
      'Setting this limit needs config:write, or group:admin for a key of the own group.',
    );
  };
  const common = { service: 'gateway', needs: signedIn } as const;
  return [
    {
      ...common,
      method: 'GET',
      path: '/api/v1/limits',
      summary: 'Limits of the installation, of groups and of keys, with what is left of them',
      query: pageQuerySchema,
      answer: limitListSchema,
      handle: (call) => {
        const { principal } = call;
        const rows = seesAll(principal) ? limits.views() : limits.viewsOf(principal);
        return json({ count: rows.length, limits: pageOf(rows, call.query) });
      },
    },
    {
      ...common,
      method: 'GET',
      path,
      summary: 'The limit of one scope: installation/all, group/NAME, key/ID',
      answer: limitSchema,
      handle: async (call) => {
        const scope = scopeOf(call);
        await requireRead(call.principal, scope);
        const found = limits.view(scope);
        if (found !== undefined) return json(found);
        throw new TensorForgeError('not_found', 'No limit is set there.');
      },
    },
    {
      ...common,
      method: 'PUT',
      path,
      summary: 'Sets the limit of one scope, in the place of the one before',
      body: limitSetSchema,
      answer: limitSchema,
      handle: async (call) => {
        const scope = scopeOf(call);
        await requireWrite(call.principal, scope);
        const wanted = storedLimit(scope, limitSetSchema.parse(call.body));
        return json(await limits.set(wanted, call.principal.text));
      },
    },
    {
      ...common,
      method: 'DELETE',
      path,
      summary: 'Takes the limit of one scope away',
      successStatus: 204,
      handle: async (call) => {
        const scope = scopeOf(call);
        await requireWrite(call.principal, scope);
        if (await limits.clear(scope, call.principal.text)) return { status: 204 };
        throw new TensorForgeError('not_found', 'No limit is set there.');
      },
    },
  ];
}
