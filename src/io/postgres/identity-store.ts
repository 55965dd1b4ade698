// Users, groups and API keys in PostgreSQL. Every write appends its control event in the same
// transaction, which is why writes take one. A key's secret never comes here, only its digest.

import type { KeyId } from '../../base/brand.ts';
import { type Instant, instant } from '../../base/time.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { AnySql, Transaction } from './connection.ts';
import type { ControlEvents } from './control-events.ts';
import type { Row } from './rows.ts';
import { requireStorable } from './storable-text.ts';

const stream = 'identity';

/** `users.state` and `groups.state`. */
export const accountStates = { active: 0, locked: 1, deleted: 2 } as const;
/** `user_group.role`; a greater role includes the lesser ones. */
export const groupRoles = { read: 0, write: 1, admin: 2 } as const;

/** No argon2id text has this form, so no password fits it. */
const noPassword = '!';
/** How a key without expiry is stored: 100 years. */
export const endlessTtlSeconds = 3_153_600_000;

/** Who did it and when, for the event. */
export type Cause = { readonly actor: string; readonly at: Instant };

export type NewKey = {
  readonly keyId: KeyId;
  readonly name: string;
  readonly groupName: string;
  /** The user it belongs to; absent for a key of the group alone. */
  readonly owner?: string;
  readonly permissions: readonly string[];
  /** Globs of model ids; empty means every model. */
  readonly models: readonly string[];
  /** Digest of the secret, lower-case hexadecimal. */
  readonly secretHash: string;
  readonly last4: string;
  /** Counted from `cause.at`, cut to whole seconds; absent for a key without expiry. */
  readonly ttlSeconds?: number;
};

export type KeyFacts = {
  readonly keyId: KeyId;
  readonly name: string;
  readonly groupName: string;
  readonly owner: string | undefined;
  readonly permissions: readonly string[];
  readonly models: readonly string[];
  readonly last4: string;
  readonly createdAt: Instant;
  readonly expiresAt: Instant | undefined;
  readonly revokedAt: Instant | undefined;
  readonly lastUsedAt: Instant | undefined;
};

/** What a gateway needs to check a key. Valid in [issuedAt, expiresAt). */
export type ActiveKey = {
  readonly keyId: KeyId;
  readonly groupName: string;
  readonly owner: string | undefined;
  readonly permissions: readonly string[];
  readonly models: readonly string[];
  /** Lower-case hexadecimal. */
  readonly secretHash: string;
  readonly issuedAt: Instant;
  readonly expiresAt: Instant | undefined;
};

type KeyRow = Omit<Row<'api_keys'>, 'group_id' | 'owner_id'> & {
  readonly group_name: string;
  readonly owner: string | null;
};
type ActiveKeyRow = Pick<KeyRow, 'token_id' | 'group_name' | 'owner' | 'permissions' | 'models'> &
  Pick<Row<'token_store'>, 'token_hash' | 'issued_at'> &
  Pick<KeyRow, 'expires_at'>;

function instantOf(at: Date | null): Instant | undefined {
  return at === null ? undefined : instant(at.getTime());
}

function decodeKey(row: KeyRow): KeyFacts {
  return {
    keyId: row.token_id as KeyId,
    name: row.name,
    groupName: row.group_name,
    owner: row.owner ?? undefined,
    permissions: row.permissions,
    models: row.models,
    last4: row.last4,
    createdAt: instant(row.created_at.getTime()),
    expiresAt: instantOf(row.expires_at),
    revokedAt: instantOf(row.revoked_at),
    lastUsedAt: instantOf(row.last_used_at),
  };
}

function decodeActiveKey(row: ActiveKeyRow): ActiveKey {
  return {
    keyId: row.token_id as KeyId,
    groupName: row.group_name,
    owner: row.owner ?? undefined,
    permissions: row.permissions,
    models: row.models,
    secretHash: row.token_hash,
    issuedAt: instant(row.issued_at * 1000),
    expiresAt: instantOf(row.expires_at),
  };
}

/** The facts of all keys, newest first, or of those of one group. */
export async function listKeys(
  sql: AnySql,
  filter: { readonly groupName?: string } = {},
): Promise<readonly KeyFacts[]> {
  const rows = await sql<KeyRow[]>`
    select k.*, g.group_name, u.username as owner
    from api_keys k
    join groups g on g.id = k.group_id
    left join users u on u.id = k.owner_id
    where ${filter.groupName === undefined ? sql`true` : sql`g.group_name = ${filter.groupName}`}
    order by k.created_at desc, k.token_id`;
  return rows.map(decodeKey);
}

/** The facts of one key; undefined when there is none. */
export async function getKey(sql: AnySql, keyId: KeyId): Promise<KeyFacts | undefined> {
  const [row] = await sql<KeyRow[]>`
    select k.*, g.group_name, u.username as owner
    from api_keys k
    join groups g on g.id = k.group_id
    left join users u on u.id = k.owner_id
    where k.token_id = ${keyId}`;
  return row === undefined ? undefined : decodeKey(row);
}

/** Every key that admits requests now: not revoked, not expired, its group and owner Active. */
export async function loadActiveKeys(sql: AnySql, now: Instant): Promise<readonly ActiveKey[]> {
  const rows = await sql<ActiveKeyRow[]>`
    select k.token_id, g.group_name, u.username as owner, k.permissions, k.models,
           t.token_hash, t.issued_at, k.expires_at
    from api_keys k
    join token_store t on t.token_id = k.token_id
    join groups g on g.id = k.group_id
    left join users u on u.id = k.owner_id
    where not t.revoked
      and k.revoked_at is null
      and t.issued_at + t.ttl_seconds > ${now / 1000}::double precision
      and g.state = ${accountStates.active}
      and (k.owner_id is null or u.state = ${accountStates.active})
    order by k.token_id`;
  return rows.map(decodeActiveKey);
}

/** Notes when keys were last used; never back in time, and unknown keys are passed over. */
export async function touchKeys(sql: AnySql, lastUsed: ReadonlyMap<KeyId, Instant>): Promise<void> {
  if (lastUsed.size === 0) return;
  const ids = [...lastUsed.keys()];
  const times = [...lastUsed.values()].map((at) => new Date(at).toISOString());
  await sql`
    update api_keys k
    set last_used_at = greatest(k.last_used_at, used.at)
    from unnest(${ids}::text[], ${times}::timestamptz[]) as used (token_id, at)
    where k.token_id = used.token_id`;
}

/** The id of a row, or the error that there is none of that name. */
async function groupIdOf(tx: Transaction, name: string): Promise<number> {
  const [row] = await tx<
    Pick<Row<'groups'>, 'id'>[]
  >`select id from groups where group_name = ${name}`;
  if (row === undefined) throw new TensorForgeError('not_found', `there is no group ${name}`);
  return row.id;
}

async function userIdOf(tx: Transaction, name: string): Promise<number> {
  const [row] = await tx<Pick<Row<'users'>, 'id'>[]>`select id from users where username = ${name}`;
  if (row === undefined) throw new TensorForgeError('not_found', `there is no user ${name}`);
  return row.id;
}

export type IdentityStore = {
  /** Makes the user and group `admin` unless the user exists; says whether it did. */
  ensureFirstAdmin(tx: Transaction, cause: Cause): Promise<{ readonly created: boolean }>;
  /** Throws `not_found` for an unknown group or owner, `name_taken` for a known key id. */
  insertKey(tx: Transaction, key: NewKey, cause: Cause): Promise<KeyFacts>;
  /** Revokes the key and returns its facts; a key revoked before stays as it is. Throws `key_not_found`. */
  revokeKey(tx: Transaction, keyId: KeyId, cause: Cause): Promise<KeyFacts>;
};

/** The writes, which append to `events`. */
export function identityStore(events: ControlEvents): IdentityStore {
  return {
    async ensureFirstAdmin(tx, { actor, at }) {
      const [user] = await tx<Pick<Row<'users'>, 'id'>[]>`
        insert into users (username, encrypted_password, admin, created_at, updated_at)
        values ('admin', ${noPassword}, true, ${new Date(at)}, ${new Date(at)})
        on conflict (username) do nothing
        returning id`;
      if (user === undefined) return { created: false };
      await tx`
        with made as (
          insert into groups (group_name, creator_id, created_at, updated_at)
          values ('admin', ${user.id}, ${new Date(at)}, ${new Date(at)})
          returning id
        )
        insert into user_group (user_id, group_id, role)
        select ${user.id}, id, ${groupRoles.admin} from made`;
      const common = { stream, version: 1, occurredAt: at, actor };
      await events.append(tx, [
        {
          ...common,
          kind: 'user_created',
          subject: 'user:admin',
          data: { username: 'admin', admin: true },
        },
        {
          ...common,
          kind: 'group_created',
          subject: 'group:admin',
          data: { group_name: 'admin', creator: 'admin' },
        },
        {
          ...common,
          kind: 'group_members_changed',
          subject: 'group:admin',
          data: { added: { admin: groupRoles.admin }, removed: [] },
        },
      ]);
      return { created: true };
    },

    async insertKey(tx, key, { actor, at }) {
      requireStorable(key.name, 'name');
      for (const model of key.models) requireStorable(model, 'models');
      const groupId = await groupIdOf(tx, key.groupName);
      const ownerId = key.owner === undefined ? null : await userIdOf(tx, key.owner);
      const issuedSeconds = Math.floor(at / 1000);
      const expiresAt =
        key.ttlSeconds === undefined ? null : new Date((issuedSeconds + key.ttlSeconds) * 1000);
      const inserted = await tx`
        insert into token_store (token_id, token_hash, issued_at, ttl_seconds)
        values (${key.keyId}, ${key.secretHash}, ${issuedSeconds},
                ${key.ttlSeconds ?? endlessTtlSeconds})
        on conflict (token_id) do nothing`;
      if (inserted.count === 0) {
        throw new TensorForgeError('name_taken', `there is a key ${key.keyId} already`);
      }
      await tx`
        insert into api_keys (token_id, name, group_id, owner_id, permissions, models, last4,
                              created_at, expires_at)
        values (${key.keyId}, ${key.name}, ${groupId}, ${ownerId}, ${[...key.permissions]}::text[],
                ${[...key.models]}::text[], ${key.last4}, ${new Date(at)}, ${expiresAt})`;
      await events.append(tx, [
        {
          stream,
          kind: 'api_key_created',
          version: 1,
          occurredAt: at,
          actor,
          subject: `key:${key.keyId}`,
          data: {
            key: key.keyId,
            name: key.name,
            group: key.groupName,
            owner: key.owner,
            permissions: key.permissions,
            models: key.models,
            expires_at: expiresAt?.toISOString(),
          },
        },
      ]);
      return await requireKey(tx, key.keyId);
    },

    async revokeKey(tx, keyId, { actor, at }) {
      const revoked = await tx`
        update api_keys set revoked_at = ${new Date(at)}
        where token_id = ${keyId} and revoked_at is null`;
      const facts = await requireKey(tx, keyId);
      if (revoked.count === 0) return facts;
      await tx`update token_store set revoked = true where token_id = ${keyId}`;
      await events.append(tx, [
        {
          stream,
          kind: 'api_key_revoked',
          version: 1,
          occurredAt: at,
          actor,
          subject: `key:${keyId}`,
          data: { key: keyId, group: facts.groupName },
        },
      ]);
      return facts;
    },
  };
}

async function requireKey(tx: Transaction, keyId: KeyId): Promise<KeyFacts> {
  const facts = await getKey(tx, keyId);
  if (facts === undefined) {
    throw new TensorForgeError('key_not_found', `there is no API key ${keyId}`);
  }
  return facts;
}
