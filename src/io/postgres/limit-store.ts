// Limits of the installation, of groups and of keys in PostgreSQL. Every change is one transaction with
// its control event, which says what held before and what holds now.

import type { Json } from '../../base/canonical.ts';
import { type Instant, instant } from '../../base/time.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { AnySql, Sql, Transaction } from './connection.ts';
import type { ControlEvents } from './control-events.ts';
import type { Cause } from './identity-store.ts';
import type { Row } from './rows.ts';
import { requireStorable } from './storable-text.ts';

export type StoredScope = {
  readonly scope: 'installation' | 'group' | 'key';
  /** Empty for the installation, the name of a group, the id of a key. */
  readonly id: string;
};

export type StoredLimit = StoredScope & {
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  readonly concurrentRequests: number | undefined;
  readonly monthBudgetMicroUsd: number | undefined;
  readonly maxPriorityClass: number | undefined;
  readonly models: readonly string[];
  readonly zones: readonly string[];
};

export type LimitRow = StoredLimit & { readonly changedAt: Instant; readonly changedBy: string };

export type LimitStore = {
  /** All limits but those of keys that are revoked, by scope and id. */
  load(): Promise<readonly LimitRow[]>;
  /** The group of an active key; undefined when there is no such key. */
  groupOfKey(id: string): Promise<string | undefined>;
  /** Throws `not_found` for an unknown group, `key_not_found` for a key that is none or revoked. */
  put(limit: StoredLimit, cause: Cause): Promise<LimitRow>;
  /** False where no limit was set. */
  remove(scope: StoredScope, cause: Cause): Promise<boolean>;
};

function limitOf(row: Row<'usage_limits'>): LimitRow {
  return {
    scope: row.scope === 'installation' || row.scope === 'group' ? row.scope : 'key',
    id: row.id,
    requestsPerMinute: row.requests_per_minute ?? undefined,
    tokensPerMinute: row.tokens_per_minute ?? undefined,
    concurrentRequests: row.concurrent_requests ?? undefined,
    monthBudgetMicroUsd: row.month_budget_micro_usd ?? undefined,
    maxPriorityClass: row.max_priority_class ?? undefined,
    models: row.models,
    zones: row.zones,
    changedAt: instant(row.changed_at.getTime()),
    changedBy: row.changed_by,
  };
}

/** What is set of a limit, as its event tells it. */
function toldLimit(limit: StoredLimit | undefined): Json {
  if (limit === undefined) return null;
  const members = {
    requests_per_minute: limit.requestsPerMinute,
    tokens_per_minute: limit.tokensPerMinute,
    concurrent_requests: limit.concurrentRequests,
    month_budget_micro_usd: limit.monthBudgetMicroUsd,
    max_priority_class: limit.maxPriorityClass,
    models: limit.models.length === 0 ? undefined : [...limit.models],
    zones: limit.zones.length === 0 ? undefined : [...limit.zones],
  };
  const set = Object.entries(members).filter((entry): entry is [string, number | string[]] => {
    return entry[1] !== undefined;
  });
  return Object.fromEntries(set);
}

async function groupOfKey(sql: AnySql, id: string): Promise<string | undefined> {
  const [row] = await sql<Pick<Row<'groups'>, 'group_name'>[]>`
    select g.group_name from api_keys k join groups g on g.id = k.group_id
    where k.token_id = ${id} and k.revoked_at is null`;
  return row?.group_name;
}

async function requireScope(tx: Transaction, { scope, id }: StoredScope): Promise<void> {
  if (scope === 'group') {
    const [found] = await tx`select 1 from groups where group_name = ${id}`;
    if (found === undefined) throw new TensorForgeError('not_found', `there is no group ${id}`);
  } else if (scope === 'key' && (await groupOfKey(tx, id)) === undefined) {
    throw new TensorForgeError('key_not_found', `there is no active API key ${id}`);
  }
}

async function lock(tx: Transaction, { scope, id }: StoredScope): Promise<LimitRow | undefined> {
  const [row] = await tx<Row<'usage_limits'>[]>`
    select * from usage_limits where scope = ${scope} and id = ${id} for update`;
  return row === undefined ? undefined : limitOf(row);
}

async function write(tx: Transaction, limit: StoredLimit, { actor, at }: Cause): Promise<LimitRow> {
  const row = {
    scope: limit.scope,
    id: limit.id,
    requests_per_minute: limit.requestsPerMinute ?? null,
    tokens_per_minute: limit.tokensPerMinute ?? null,
    concurrent_requests: limit.concurrentRequests ?? null,
    month_budget_micro_usd: limit.monthBudgetMicroUsd ?? null,
    max_priority_class: limit.maxPriorityClass ?? null,
    models: [...limit.models],
    zones: [...limit.zones],
    changed_at: new Date(at),
    changed_by: actor,
  };
  await tx`
    insert into usage_limits ${tx(row)}
    on conflict (scope, id) do update set
      requests_per_minute = excluded.requests_per_minute,
      tokens_per_minute = excluded.tokens_per_minute,
      concurrent_requests = excluded.concurrent_requests,
      month_budget_micro_usd = excluded.month_budget_micro_usd,
      max_priority_class = excluded.max_priority_class,
      models = excluded.models,
      zones = excluded.zones,
      changed_at = excluded.changed_at,
      changed_by = excluded.changed_by`;
  return limitOf(row);
}

export function limitStore(sql: Sql, events: ControlEvents): LimitStore {
  const tell = async (
    tx: Transaction,
    { scope, id }: StoredScope,
    before: StoredLimit | undefined,
    after: StoredLimit | undefined,
    { actor, at }: Cause,
  ): Promise<void> => {
    await events.append(tx, [
      {
        stream: 'identity',
        kind: 'limit_changed',
        version: 1,
        occurredAt: at,
        actor,
        subject: scope === 'installation' ? 'limit:installation' : `limit:${scope}:${id}`,
        data: { scope, id, before: toldLimit(before), after: toldLimit(after) },
      },
    ]);
  };
  return {
    async load() {
      const rows = await sql<Row<'usage_limits'>[]>`
        select l.* from usage_limits l
        left join api_keys k on l.scope = 'key' and k.token_id = l.id
        where l.scope <> 'key' or k.revoked_at is null
        order by l.scope, l.id collate "C"`;
      return rows.map(limitOf);
    },
    groupOfKey: (id) => groupOfKey(sql, id),
    put(limit, cause) {
      for (const text of [limit.id, ...limit.models]) requireStorable(text, 'models');
      return sql.begin(async (tx) => {
        await requireScope(tx, limit);
        const before = await lock(tx, limit);
        const after = await write(tx, limit, cause);
        await tell(tx, limit, before, after, cause);
        return after;
      });
    },
    remove(scope, cause) {
      return sql.begin(async (tx) => {
        const before = await lock(tx, scope);
        if (before === undefined) return false;
        await tx`delete from usage_limits where scope = ${scope.scope} and id = ${scope.id}`;
        await tell(tx, scope, before, undefined, cause);
        return true;
      });
    },
  };
}
