// Goal: a limit and its event are written together or not at all, for scopes that exist, and a start
// reads what holds. Method: the store on a real database.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testEvents, withDatabase } from '../../../test/support/postgres.ts';
import type { KeyId } from '../../base/brand.ts';
import { instant } from '../../base/time.ts';
import { isErrorCode } from '../../errors/catalogue.ts';
import { readEvents } from './control-events.ts';
import { identityStore } from './identity-store.ts';
import { limitStore, type StoredLimit, type StoredScope } from './limit-store.ts';
import { usageStore } from './usage-store.ts';

const cause = { actor: 'user:admin', at: instant(1_800_000_000_000) };
const keyId = 'key_limited' as KeyId;

function limit(scope: StoredScope, over: Partial<StoredLimit> = {}): StoredLimit {
  return {
    ...scope,
    requestsPerMinute: undefined,
    tokensPerMinute: undefined,
    concurrentRequests: undefined,
    monthBudgetMicroUsd: undefined,
    maxPriorityClass: undefined,
    models: [],
    zones: [],
    ...over,
  };
}

withDatabase((db) => {
  const store = () => limitStore(db.database.sql, testEvents);
  const key: StoredScope = { scope: 'key', id: keyId };
  const all: StoredScope = { scope: 'installation', id: '' };

  test('limits come back as they were set, each change with what held before', async () => {
    const { sql } = db.database;
    const identity = identityStore(testEvents);
    await sql.begin((tx) => identity.ensureFirstAdmin(tx, cause));
    await sql.begin((tx) =>
      identity.insertKey(
        tx,
        {
          keyId,
          name: 'k',
          groupName: 'admin',
          permissions: [],
          models: [],
          secretHash: 'x',
          last4: 'abcd',
        },
        cause,
      ),
    );
    assert.equal(await store().groupOfKey(keyId), 'admin');
    const budget = limit(key, { monthBudgetMicroUsd: 2 ** 40, models: ['a*'] });
    await store().put(budget, cause);
    const rates = limit(key, { requestsPerMinute: 60, zones: ['restricted'], maxPriorityClass: 3 });
    await store().put(rates, cause);
    await store().put(limit(all, { tokensPerMinute: 1_000_000_000 }), cause);
    const told = { changedAt: cause.at, changedBy: cause.actor };
    assert.deepEqual(await store().load(), [
      { ...limit(all, { tokensPerMinute: 1_000_000_000 }), ...told },
      { ...rates, ...told },
    ]);
    const events = await readEvents(sql, { kind: 'limit_changed', limit: 10 });
    assert.deepEqual(
      events.map(({ subject, data }) => [subject, data['before'], data['after']]),
      [
        ['limit:key:key_limited', null, { month_budget_micro_usd: 2 ** 40, models: ['a*'] }],
        [
          'limit:key:key_limited',
          { month_budget_micro_usd: 2 ** 40, models: ['a*'] },
          { requests_per_minute: 60, max_priority_class: 3, zones: ['restricted'] },
        ],
        ['limit:installation', null, { tokens_per_minute: 1_000_000_000 }],
      ],
    );
  });

  test('a scope that is not there has no limit, and nothing is told of it', async () => {
    const codeOf = (error: unknown) =>
      error instanceof Error && 'code' in error && isErrorCode(String(error.code)) && error.code;
    const some = { requestsPerMinute: 1 };
    await assert.rejects(
      store().put(limit({ scope: 'group', id: 'nobody' }, some), cause),
      (error) => codeOf(error) === 'not_found',
    );
    await assert.rejects(
      store().put(limit({ scope: 'key', id: 'key_none' }, some), cause),
      (error) => codeOf(error) === 'key_not_found',
    );
    await assert.rejects(store().put(limit(all, { requestsPerMinute: 0 }), cause));
    assert.equal(
      (await readEvents(db.database.sql, { kind: 'limit_changed', limit: 10 })).length,
      3,
    );
  });

  test('a limit is taken away once, and that of a revoked key holds no more', async () => {
    const { sql } = db.database;
    assert.equal(await store().remove(all, cause), true);
    assert.equal(await store().remove(all, cause), false);
    const [last] = await readEvents(sql, { kind: 'limit_changed', limit: 10, isNewest: true });
    assert.ok(last !== undefined);
    assert.equal((await store().load()).length, 1);
    await sql.begin((tx) => identityStore(testEvents).revokeKey(tx, keyId, cause));
    assert.deepEqual(await store().load(), []);
    assert.equal(await store().groupOfKey(keyId), undefined);
  });

  test('what a scope spent in a month is its own', async () => {
    const usage = usageStore(db.database.sql);
    const months = [
      { scope: 'installation', id: '', month: '2026-11', spendMicroUsd: 9 },
      { scope: 'key', id: keyId, month: '2026-11', spendMicroUsd: 5 },
    ] as const;
    const writer = '00000000-0000-4000-8000-000000000001';
    await usage.add({ writer, batch: 1, atMs: cause.at, hours: [], months });
    assert.equal(await usage.spentIn('2026-11'), 9);
    assert.equal(await usage.spentIn('2026-11', 'key', keyId), 5);
    assert.equal(await usage.spentIn('2026-12', 'key', keyId), 0);
  });
});
