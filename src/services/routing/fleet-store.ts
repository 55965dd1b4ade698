// The fleet in PostgreSQL: what operators and configuration decided, with the event of each change.

import type { BackendId } from '../../base/brand.ts';
import type { Instant } from '../../base/time.ts';
import type { Backend } from '../../core/backends/backend.ts';
import { backendStore, loadBackends, type StoredBackend } from '../../io/postgres/backend-store.ts';
import type { Sql } from '../../io/postgres/connection.ts';
import type { ControlEvents } from '../../io/postgres/control-events.ts';
import type { FleetStore } from './operator.ts';

function storedOf(backend: Backend, draining: boolean, now: Instant): StoredBackend {
  return {
    id: backend.id,
    name: backend.name,
    url: backend.url,
    backendType: backend.backendType,
    priority: backend.priority,
    zone: backend.zone,
    tier: backend.tier,
    capacity: backend.metadata['capacity_source'] === 'probe' ? 0 : backend.capacity,
    apiKeyEnv: backend.apiKeyEnv,
    discoverySource: backend.discoverySource,
    metadata: {},
    approved: backend.approved,
    draining,
    simulated: backend.simulated,
    createdAt: now,
    manualOrder: undefined,
  };
}

export function postgresFleetStore(
  sql: Sql,
  events: ControlEvents,
  now: () => Instant,
): FleetStore & {
  load(): Promise<readonly StoredBackend[]>;
  forget(id: BackendId): Promise<void>;
} {
  const store = backendStore(events);
  return {
    async save(backend, draining, kind, actor) {
      const at = now();
      await sql.begin((tx) =>
        store.upsertBackend(tx, storedOf(backend, draining, at), { kind, actor, at }),
      );
    },
    async remove(id, actor) {
      const { backends } = await loadBackends(sql);
      if (!backends.some((stored) => stored.id === id)) return;
      await sql.begin((tx) => store.deleteBackend(tx, id, { actor, at: now() }));
    },
    async load() {
      return (await loadBackends(sql)).backends;
    },
    async forget(id) {
      await sql.begin((tx) => store.deleteBackend(tx, id, { actor: 'system', at: now() }));
    },
  };
}
