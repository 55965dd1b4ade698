// The backends that outlive a restart. What is observed about a backend (status, models, latency) is
// not here; what an operator or the configuration decided is. Each write appends its control event in
// the same transaction.

import { z } from 'zod';
import type { BackendId } from '../../base/brand.ts';
import { type Instant, instant } from '../../base/time.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { backendTypeSchema, zoneSchema } from '../../protocol/control/schemas.ts';
import { type AnySql, failureCode, type Transaction } from './connection.ts';
import type { ControlEvents } from './control-events.ts';
import type { Cause } from './identity-store.ts';
import type { Row } from './rows.ts';
import { requireStorable } from './storable-text.ts';

const stream = 'backends';

const storedSchema = z.object({
  backend_type: backendTypeSchema,
  zone: zoneSchema,
  discovery_source: z.enum(['static', 'mdns', 'manual']),
  metadata: z.record(z.string(), z.string()),
});

export type StoredBackend = {
  readonly id: BackendId;
  readonly name: string;
  /** Server root without a trailing slash. */
  readonly url: string;
  readonly backendType: z.infer<typeof backendTypeSchema>;
  /** Lower is preferred. */
  readonly priority: number;
  readonly zone: z.infer<typeof zoneSchema>;
  /** 1 to 5. */
  readonly tier: number;
  /** Concurrent requests; 0 means not known. */
  readonly capacity: number;
  readonly apiKeyEnv: string | undefined;
  readonly discoverySource: 'static' | 'mdns' | 'manual';
  readonly metadata: Readonly<Record<string, string>>;
  readonly approved: boolean;
  readonly draining: boolean;
  readonly simulated: boolean;
  readonly createdAt: Instant;
  /** The place an operator gave it. */
  readonly manualOrder: number | undefined;
};

/** Why a backend is written; `backend_changed` is an edit of its settings. */
export type BackendChange =
  | 'backend_added'
  | 'backend_changed'
  | 'backend_drained'
  | 'backend_resumed'
  | 'backend_approved';

export type LoadedBackends = {
  readonly backends: readonly StoredBackend[];
  /** Ids of rows that this program cannot read; they are left alone and take no traffic. */
  readonly unreadable: readonly string[];
};

function decode(row: Row<'backends'>): StoredBackend | undefined {
  const checked = storedSchema.safeParse(row);
  if (!checked.success) return undefined;
  return {
    id: row.id as BackendId,
    name: row.name,
    url: row.url,
    backendType: checked.data.backend_type,
    priority: row.priority,
    zone: checked.data.zone,
    tier: row.tier,
    capacity: row.capacity,
    apiKeyEnv: row.api_key_env ?? undefined,
    discoverySource: checked.data.discovery_source,
    metadata: checked.data.metadata,
    approved: row.approved,
    draining: row.draining,
    simulated: row.simulated,
    createdAt: instant(row.created_at.getTime()),
    manualOrder: row.manual_order ?? undefined,
  };
}

/** All persisted backends: by the place an operator gave them, then priority, then id. */
export async function loadBackends(sql: AnySql): Promise<LoadedBackends> {
  const rows = await sql<Row<'backends'>[]>`
    select * from backends order by manual_order nulls last, priority, id`;
  const backends: StoredBackend[] = [];
  const unreadable: string[] = [];
  for (const row of rows) {
    const backend = decode(row);
    if (backend === undefined) unreadable.push(row.id);
    else backends.push(backend);
  }
  return { backends, unreadable };
}

function eventData(backend: StoredBackend): Parameters<ControlEvents['append']>[1][number]['data'] {
  return {
    name: backend.name,
    url: backend.url,
    backend_type: backend.backendType,
    source: backend.discoverySource,
    priority: backend.priority,
    zone: backend.zone,
    tier: backend.tier,
    capacity: backend.capacity,
    approved: backend.approved,
    draining: backend.draining,
    simulated: backend.simulated,
  };
}

async function write(tx: Transaction, backend: StoredBackend): Promise<void> {
  const row = {
    id: backend.id,
    name: backend.name,
    url: backend.url,
    backend_type: backend.backendType,
    priority: backend.priority,
    zone: backend.zone,
    tier: backend.tier,
    capacity: backend.capacity,
    api_key_env: backend.apiKeyEnv ?? null,
    discovery_source: backend.discoverySource,
    metadata: tx.json(backend.metadata),
    approved: backend.approved,
    draining: backend.draining,
    simulated: backend.simulated,
    created_at: new Date(backend.createdAt),
    manual_order: backend.manualOrder ?? null,
  };
  const { id: _id, created_at: _createdAt, ...changeable } = row;
  try {
    await tx`
      insert into backends ${tx(row)}
      on conflict (id) do update set ${tx(changeable)}`;
  } catch (cause) {
    if (failureCode(cause) !== '23505') throw cause;
    throw new TensorForgeError(
      'duplicate_backend',
      `a backend with the name ${backend.name} or the address ${backend.url} is registered already`,
      { cause },
    );
  }
}

export type BackendStore = {
  /**
   * Writes the backend under its id. Throws `duplicate_backend` when another one has its name or
   * address; the transaction is then lost.
   */
  upsertBackend(
    tx: Transaction,
    backend: StoredBackend,
    change: Cause & { readonly kind: BackendChange },
  ): Promise<void>;
  /** Removes the backend. Throws `backend_not_found`. */
  deleteBackend(tx: Transaction, id: BackendId, cause: Cause): Promise<void>;
};

/** The writes, which append to `events`. */
export function backendStore(events: ControlEvents): BackendStore {
  return {
    async upsertBackend(tx, backend, { kind, actor, at }) {
      requireStorable(backend.name, 'name');
      requireStorable(backend.url, 'url');
      for (const text of Object.entries(backend.metadata).flat()) requireStorable(text, 'metadata');
      await write(tx, backend);
      await events.append(tx, [
        {
          stream,
          kind,
          version: 1,
          occurredAt: at,
          actor,
          subject: `backend:${backend.id}`,
          data: eventData(backend),
        },
      ]);
    },

    async deleteBackend(tx, id, { actor, at }) {
      const [removed] = await tx<Pick<Row<'backends'>, 'name' | 'url'>[]>`
        delete from backends where id = ${id} returning name, url`;
      if (removed === undefined) {
        throw new TensorForgeError('backend_not_found', `there is no backend ${id}`);
      }
      await events.append(tx, [
        {
          stream,
          kind: 'backend_removed',
          version: 1,
          occurredAt: at,
          actor,
          subject: `backend:${id}`,
          data: { name: removed.name, url: removed.url },
        },
      ]);
    },
  };
}
