// Identity on the control thread: the first admin, API keys and dashboard sessions. Keys are written
// first and told to the gateway threads afterwards; a revocation reaches them within a second.

import { randomBytes } from 'node:crypto';
import type { KeyId } from '../../base/brand.ts';
import { Secret } from '../../base/secret.ts';
import { type Instant, instant, toRfc3339 } from '../../base/time.ts';
import { refusal, TensorForgeError } from '../../errors/tensorforge-error.ts';
import { digestSecret, type KeyRecord, KeyTable } from '../../io/credentials/key-table.ts';
import type { Sql } from '../../io/postgres/connection.ts';
import type { ControlEvents } from '../../io/postgres/control-events.ts';
import {
  type ActiveKey,
  getKey,
  identityStore,
  type KeyFacts,
  listKeys,
  loadActiveKeys,
  touchKeys,
} from '../../io/postgres/identity-store.ts';
import { checkPepper } from '../../io/postgres/pepper-check.ts';
import { deleteSession, insertSession, validateSession } from '../../io/postgres/session-store.ts';
import {
  type KeyViewWire,
  type Permission,
  permissionSchema,
} from '../../protocol/control/schemas.ts';
import {
  formatApiKey,
  keyIdBytes,
  keySecretBytes,
  parseApiKey,
} from '../../protocol/credentials/api-key.ts';

/** What a key may do when nobody says more (specification section 5). */
export const defaultPermissions: readonly Permission[] = [
  'inference:use',
  'inference:batch',
  'jobs:write',
  'models:read',
  'placement:read',
];

const defaultLifeDays = 90;
const secondsPerDay = 86_400;

export type KeyChange = {
  readonly upsert: readonly KeyRecord[];
  readonly remove: readonly string[];
};

export type NewKeyRequest = {
  readonly name: string;
  readonly groupName: string;
  readonly owner: string | undefined;
  readonly permissions: readonly Permission[];
  readonly models: readonly string[];
  /** Undefined for a key that does not expire. */
  readonly lifeDays: number | undefined;
};

export type IdentityOptions = {
  readonly sql: Sql;
  readonly events: ControlEvents;
  readonly pepper: Secret;
  readonly now: () => Instant;
  readonly onKeys: (change: KeyChange) => void;
};

function recordOf(key: ActiveKey): KeyRecord {
  return {
    keyId: key.keyId,
    groupName: key.groupName,
    owner: key.owner,
    permissions: key.permissions,
    models: key.models,
    secretHash: key.secretHash,
    issuedAt: Math.floor(key.issuedAt / 1000),
    expiresAt: key.expiresAt === undefined ? undefined : Math.floor(key.expiresAt / 1000),
  };
}

function isPermission(text: string): text is Permission {
  return permissionSchema.safeParse(text).success;
}

function isAdminKey(key: ActiveKey): boolean {
  return key.permissions.includes('users:admin');
}

function timeOrNull(at: Instant | undefined): string | null {
  return at === undefined ? null : toRfc3339(at);
}

export function keyView(facts: KeyFacts): KeyViewWire {
  return {
    id: facts.keyId,
    name: facts.name,
    group_name: facts.groupName,
    owner: facts.owner ?? null,
    permissions: facts.permissions.filter(isPermission),
    models: [...facts.models],
    last4: facts.last4,
    created_at: toRfc3339(facts.createdAt),
    expires_at: timeOrNull(facts.expiresAt),
    revoked: facts.revokedAt !== undefined,
    last_used_at: timeOrNull(facts.lastUsedAt),
  };
}

export class Identity {
  readonly keys: KeyTable;
  readonly #options: IdentityOptions;
  #records: readonly KeyRecord[] = [];
  /** Unix seconds of the last use of keys, not yet written. */
  #unwritten = new Map<string, number>();

  constructor(options: IdentityOptions) {
    this.#options = options;
    this.keys = new KeyTable(options.pepper.reveal());
  }

  /** The keys that admit requests, as loaded; changes go through `onKeys`. */
  get records(): readonly KeyRecord[] {
    return this.#records;
  }

  /**
   * Makes user, group and key of the first admin when there are none, and a new admin key when no
   * active one is left; the key's text if it made one. Throws `config_invalid` on another pepper.
   */
  async start(): Promise<Secret | undefined> {
    const { sql, events, now, pepper } = this.#options;
    await checkPepper(sql, digestSecret(pepper.reveal(), 'pepper check').toString('hex'));
    const store = identityStore(events);
    const { created } = await sql.begin((tx) =>
      store.ensureFirstAdmin(tx, { actor: 'system', at: now() }),
    );
    if (created) {
      const text = await this.#adminKey('first admin key');
      await this.#load();
      return text;
    }
    await this.#load();
    if (this.#records.some((record) => record.permissions.includes('users:admin')))
      return undefined;
    // Nobody could let anybody in any more: whoever owns the data directory gets a new key.
    const text = await this.#adminKey('recovered admin key');
    await this.#load();
    return text;
  }

  async #adminKey(name: string): Promise<Secret> {
    const { secret } = await this.#insert(
      {
        name,
        groupName: 'admin',
        owner: 'admin',
        permissions: permissionSchema.options,
        models: [],
        lifeDays: undefined,
      },
      'system',
    );
    return secret;
  }

  async #load(): Promise<void> {
    const active = await loadActiveKeys(this.#options.sql, this.#options.now());
    this.#records = active.map(recordOf);
    for (const record of this.#records) this.keys.upsert(record);
  }

  async #insert(
    request: NewKeyRequest,
    actor: string,
  ): Promise<{ readonly facts: KeyFacts; readonly secret: Secret; readonly hash: string }> {
    const { sql, events, now, pepper } = this.#options;
    const text = formatApiKey(randomBytes(keyIdBytes), randomBytes(keySecretBytes));
    const parsed = parseApiKey(text);
    if (parsed === undefined)
      throw new TensorForgeError('internal_error', 'a key that was just made does not parse');
    const hash = digestSecret(pepper.reveal(), parsed.secret).toString('hex');
    const facts = await sql.begin((tx) =>
      identityStore(events).insertKey(
        tx,
        {
          keyId: parsed.keyId as KeyId,
          name: request.name,
          groupName: request.groupName,
          ...(request.owner === undefined ? {} : { owner: request.owner }),
          permissions: request.permissions,
          models: request.models,
          secretHash: hash,
          last4: text.slice(-4),
          ...(request.lifeDays === undefined
            ? {}
            : { ttlSeconds: request.lifeDays * secondsPerDay }),
        },
        { actor, at: now() },
      ),
    );
    return { facts, secret: new Secret(text), hash };
  }

  /** Throws `permission_denied` when the new key could do more than its maker. */
  async createKey(
    request: {
      readonly name: string;
      readonly permissions?: readonly Permission[] | undefined;
      readonly models?: readonly string[] | undefined;
      /** Null for a key that does not expire. */
      readonly expires_in_days?: number | null | undefined;
    },
    maker: {
      readonly text: string;
      readonly user: string | undefined;
      readonly groupName: string;
      readonly permissions: ReadonlySet<string>;
    },
  ): Promise<{ readonly facts: KeyFacts; readonly secret: Secret }> {
    const wanted =
      request.permissions ?? defaultPermissions.filter((p) => maker.permissions.has(p));
    const beyond = wanted.filter((permission) => !maker.permissions.has(permission));
    if (beyond.length > 0) {
      const words = `A key can do no more than its maker, who lacks ${beyond.join(', ')}.`;
      throw TensorForgeError.of(refusal('permission_denied', words));
    }
    const { facts, secret, hash } = await this.#insert(
      {
        name: request.name,
        groupName: maker.groupName,
        owner: maker.user,
        permissions: wanted,
        models: request.models ?? [],
        lifeDays:
          request.expires_in_days === null
            ? undefined
            : (request.expires_in_days ?? defaultLifeDays),
      },
      maker.text,
    );
    const record: KeyRecord = {
      keyId: facts.keyId,
      groupName: facts.groupName,
      owner: facts.owner,
      permissions: facts.permissions,
      models: facts.models,
      secretHash: hash,
      issuedAt: Math.floor(facts.createdAt / 1000),
      expiresAt: facts.expiresAt === undefined ? undefined : Math.floor(facts.expiresAt / 1000),
    };
    this.#apply({ upsert: [record], remove: [] });
    return { facts, secret };
  }

  listKeys(): Promise<readonly KeyFacts[]> {
    return listKeys(this.#options.sql);
  }

  /** Throws `key_not_found`. */
  async getKey(id: string): Promise<KeyFacts> {
    const facts = await getKey(this.#options.sql, id as KeyId);
    if (facts === undefined)
      throw new TensorForgeError('key_not_found', `there is no API key ${id}`);
    return facts;
  }

  /** Throws `key_not_found`, and `bad_state` for the last key that can manage keys. */
  async revokeKey(id: string, actor: string): Promise<KeyFacts> {
    const { sql, events, now } = this.#options;
    const facts = await sql.begin(async (tx) => {
      const before = await loadActiveKeys(tx, now());
      const revoked = await identityStore(events).revokeKey(tx, id as KeyId, { actor, at: now() });
      if (!before.some((key) => key.keyId === id && isAdminKey(key))) return revoked;
      // The event of the revocation holds the stream until the end of this transaction, so of two
      // revocations at once the second one sees the first here.
      const left = await loadActiveKeys(tx, now());
      if (left.some(isAdminKey)) return revoked;
      const words =
        'This is the last active key with the permission users:admin; without it nobody could manage keys. Make another such key first (tensorforge keys create --admin), then revoke this one with it.';
      throw new TensorForgeError('bad_state', words);
    });
    this.#apply({ upsert: [], remove: [id] });
    return facts;
  }

  #apply(change: KeyChange): void {
    for (const record of change.upsert) this.keys.upsert(record);
    for (const id of change.remove) this.keys.remove(id);
    const gone = new Set(change.remove);
    this.#records = [
      ...this.#records.filter((record) => !gone.has(record.keyId)),
      ...change.upsert,
    ];
    this.#options.onKeys(change);
  }

  recordOf(keyId: string): KeyRecord | undefined {
    return this.#records.find((record) => record.keyId === keyId);
  }

  async openSession(keyId: string, actor: string): Promise<Secret> {
    const { sql, events, now } = this.#options;
    return sql.begin((tx) =>
      insertSession(tx, events, { keyId: keyId as KeyId, actor, at: now() }),
    );
  }

  /** The key behind a session cookie, while both are good. */
  async sessionKey(cookie: string): Promise<KeyRecord | undefined> {
    const session = await validateSession(
      this.#options.sql,
      new Secret(cookie),
      this.#options.now(),
    );
    return session === undefined ? undefined : this.recordOf(session.keyId);
  }

  closeSession(cookie: string): Promise<boolean> {
    return deleteSession(this.#options.sql, new Secret(cookie));
  }

  /** Notes when keys were last used. What could not be written is written with the next call. */
  async touch(used: ReadonlyMap<string, number>): Promise<void> {
    this.#noteUse(used);
    const batch = this.#unwritten;
    this.#unwritten = new Map();
    const at = new Map<KeyId, Instant>();
    for (const [id, seconds] of batch) at.set(id as KeyId, instant(seconds * 1000));
    try {
      await touchKeys(this.#options.sql, at);
    } catch (error) {
      this.#noteUse(batch);
      throw error;
    }
  }

  #noteUse(used: ReadonlyMap<string, number>): void {
    for (const [id, seconds] of used) {
      this.#unwritten.set(id, Math.max(seconds, this.#unwritten.get(id) ?? 0));
    }
  }
}
