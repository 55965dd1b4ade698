// Goal: a backend comes back from the database as it was put in, and each change of it is an event.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testEvents, withDatabase } from '../../../test/support/postgres.ts';
import type { BackendId } from '../../base/brand.ts';
import { instant } from '../../base/time.ts';
import {
  type BackendChange,
  backendStore,
  loadBackends,
  type StoredBackend,
} from './backend-store.ts';
import { readEvents } from './control-events.ts';

const at = instant(1_700_000_000_500);
const actor = 'user:admin';

function backend(name: string, more: Partial<StoredBackend> = {}): StoredBackend {
  return {
    id: name as BackendId,
    name,
    url: `http://${name}:8000`,
    backendType: 'vllm',
    priority: 50,
    zone: 'open',
    tier: 3,
    capacity: 0,
    apiKeyEnv: undefined,
    discoverySource: 'manual',
    metadata: {},
    approved: true,
    draining: false,
    simulated: false,
    createdAt: at,
    manualOrder: undefined,
    ...more,
  };
}

withDatabase((db) => {
  const store = backendStore(testEvents);
  const upsert = (one: StoredBackend, kind: BackendChange) =>
    db.database.sql.begin((tx) => store.upsertBackend(tx, one, { kind, actor, at }));
  const remove = (name: string) =>
    db.database.sql.begin((tx) => store.deleteBackend(tx, name as BackendId, { actor, at }));
  const story = async (): Promise<readonly string[]> =>
    (await readEvents(db.database.sql, { stream: 'backends', limit: 1000 })).map(
      ({ kind, subject }) => `${kind} ${subject}`,
    );

  test('a backend round-trips with everything set and with nothing set', async () => {
    const full = backend('full', {
      zone: 'restricted',
      tier: 5,
      capacity: 8,
      priority: -3,
      apiKeyEnv: 'FULL_KEY',
      discoverySource: 'static',
      metadata: { rack: 'a "7"', empty: '' },
      simulated: true,
      manualOrder: 2,
    });
    await upsert(full, 'backend_added');
    await upsert(backend('bare'), 'backend_added');
    assert.deepEqual(await loadBackends(db.database.sql), {
      backends: [full, backend('bare')],
      unreadable: [],
    });
  });

  test('a change keeps the day it was added and appends its own event', async () => {
    const changed = backend('bare', { draining: true, createdAt: instant(at + 5) });
    await upsert(changed, 'backend_drained');
    await upsert({ ...changed, draining: false, priority: 7 }, 'backend_resumed');
    const { backends } = await loadBackends(db.database.sql);
    assert.deepEqual(backends[1], backend('bare', { priority: 7 }));
    assert.deepEqual(await story(), [
      'backend_added backend:full',
      'backend_added backend:bare',
      'backend_drained backend:bare',
      'backend_resumed backend:bare',
    ]);
  });

  test('a second backend of the same name or address is refused without a trace', async () => {
    const before = await story();
    const twins = [backend('twin', { url: 'http://bare:8000' }), backend('twin', { name: 'bare' })];
    for (const twin of twins) {
      await assert.rejects(upsert(twin, 'backend_added'), { code: 'duplicate_backend' });
    }
    const nul = backend('nul', { metadata: { note: 'a\0b' } });
    await assert.rejects(upsert(nul, 'backend_added'), { code: 'invalid_request' });
    assert.deepEqual(await story(), before);
  });

  test('a row that this program cannot read is set aside', async () => {
    const { sql } = db.database;
    await sql`update backends set backend_type = 'from_the_future' where id = 'full'`;
    const { backends, unreadable } = await loadBackends(sql);
    assert.deepEqual(unreadable, ['full']);
    assert.deepEqual(
      backends.map(({ id }) => id),
      ['bare'],
    );
  });

  test('a removed backend is gone and can be removed only once', async () => {
    await remove('bare');
    await assert.rejects(remove('bare'), { code: 'backend_not_found' });
    assert.deepEqual((await loadBackends(db.database.sql)).backends, []);
    assert.equal((await story()).at(-1), 'backend_removed backend:bare');
  });
});
