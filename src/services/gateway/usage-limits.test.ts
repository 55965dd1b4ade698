// Goal: what is set is in force and told once it is written, a scope keeps its place in the shared table
// while limits change, and a budget that is new knows what was spent. Method: the real table, a store in
// memory, and what threads are told, noted.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { instant } from '../../base/time.ts';
import { noFigures } from '../../core/usage/usage-sums.ts';
import type {
  LimitRow,
  LimitStore,
  StoredLimit,
  StoredScope,
} from '../../io/postgres/limit-store.ts';
import { LimitTable } from '../../io/shared-memory/limit-table.ts';
import { minuteUnits } from '../../io/shared-memory/rate-meter.ts';
import type { ScopeLimit } from './thread-limits.ts';
import { UsageLimits } from './usage-limits.ts';

const at = instant(Date.UTC(2026, 10, 15));

function keyLimit(id: string, over: Partial<StoredLimit> = {}): StoredLimit {
  return {
    scope: 'key',
    id,
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

function memoryStore(rows: LimitRow[] = []): LimitStore {
  const isOf = (scope: StoredScope) => (row: StoredScope) =>
    row.scope === scope.scope && row.id === scope.id;
  return {
    load: async () => rows,
    groupOfKey: async () => 'ml',
    put: async (limit, cause) => {
      const row = { ...limit, changedAt: cause.at, changedBy: cause.actor };
      rows = [...rows.filter((one) => !isOf(limit)(one)), row];
      return row;
    },
    remove: async (scope) => {
      const isThere = rows.some(isOf(scope));
      rows = rows.filter((one) => !isOf(scope)(one));
      return isThere;
    },
  };
}

function fixture(store = memoryStore()) {
  const parts = LimitTable.create(1, 2);
  const told: (readonly ScopeLimit[])[] = [];
  const spent = { microUsd: 0, asked: 0 };
  const limits = new UsageLimits({
    store,
    table: new LimitTable(parts),
    slots: 2,
    nowMs: () => 0,
    now: () => at,
    settleUsage: async () => {
      spent.asked++;
    },
    spentIn: async () => spent.microUsd,
    tell: async (list) => {
      told.push(list);
    },
  });
  const thread = new LimitTable(parts, 0);
  return { limits, told, spent, thread };
}

it('what is set is told to threads, and what is left is seen', async () => {
  const { limits, told, thread } = fixture();
  const view = await limits.set(
    keyLimit('a', { requestsPerMinute: 60, concurrentRequests: 3 }),
    'user:admin',
  );
  assert.deepEqual([view.requests_per_minute, view.left.requests], [60, 60]);
  assert.deepEqual(
    told.map((list) => list.map(({ scope, id, slot }) => [scope, id, slot])),
    [[['key', 'a', 0]]],
  );
  thread.slot(0).enter();
  thread.slot(0).requests.take(minuteUnits / 2, 0);
  const left = limits.view({ scope: 'key', id: 'a' })?.left;
  assert.deepEqual([left?.requests, left?.concurrent_requests, left?.tokens], [30, 2, null]);
  assert.deepEqual(limits.headersOf({ keyId: 'a', groupName: 'ml' }).slice(0, 4), [
    'x-ratelimit-limit-requests',
    '60',
    'x-ratelimit-remaining-requests',
    '30',
  ]);
  assert.deepEqual(limits.headersOf({ keyId: 'b', groupName: 'ml' }), []);
});

it('a limit that changes keeps its place and what is in flight, and begins with all of its minute', async () => {
  const { limits, thread } = fixture();
  await limits.set(keyLimit('a', { requestsPerMinute: 60, tokensPerMinute: 60 }), 'x');
  thread.slot(0).enter();
  thread.slot(0).requests.take(minuteUnits, 0);
  thread.slot(0).tokens.take(minuteUnits, 0);
  const view = await limits.set(
    keyLimit('a', { requestsPerMinute: 30, tokensPerMinute: 60, concurrentRequests: 5 }),
    'x',
  );
  const { requests, tokens, concurrent_requests: places } = view.left;
  assert.deepEqual([requests, tokens, places], [30, 0, 4]);
  assert.equal(limits.list[0]?.slot, 0);
});

it('a budget that is new begins with what the month has cost, one that changes keeps its spend', async () => {
  const { limits, spent, thread } = fixture();
  spent.microUsd = 400_000;
  const view = await limits.set(keyLimit('a', { monthBudgetMicroUsd: 1_000_000 }), 'x');
  assert.equal(view.left.month_budget_usd, 0.6);
  assert.equal(spent.asked, 1, 'what threads have used was written first');
  thread.slot(0).spend.settle((2026 - 1970) * 12 + 10, undefined, 100_000);
  const raised = await limits.set(keyLimit('a', { monthBudgetMicroUsd: 2_000_000 }), 'x');
  assert.equal(raised.left.month_budget_usd, 1.5);
});

it('thresholds of a budget are told once each, by what was settled, in its month', async () => {
  const { limits, spent } = fixture();
  spent.microUsd = 550;
  await limits.set(keyLimit('a', { monthBudgetMicroUsd: 1000 }), 'x');
  const passed = (costMicroUsd: number, hoursLater = 0) => {
    const hour = at / 3_600_000 + hoursLater;
    const row = { hour, keyId: 'a', groupName: 'ml', model: 'm', backendId: 'b', ...noFigures() };
    const other = { ...row, keyId: 'b', costMicroUsd: 5000 };
    const told = limits.passedBy([other, { ...row, costMicroUsd }]);
    return told.map(({ of, percent, settled }) => [of.id, percent, settled]);
  };
  assert.deepEqual(passed(249), [], 'half of it was spent before');
  assert.deepEqual(passed(1), [['a', 80, 800]]);
  assert.deepEqual(passed(10), []);
  assert.deepEqual(passed(300), [['a', 100, 1110]]);
  assert.deepEqual(passed(500, 24 * 30), [['a', 50, 500]], 'December begins with nothing');
  assert.deepEqual(passed(500), [], 'what comes late is of November');
  await limits.clear({ scope: 'key', id: 'a' }, 'x');
  assert.deepEqual(passed(5000, 24 * 30), []);
});

it('places are used again once there are no others, and a full table says so', async () => {
  const { limits } = fixture();
  const some = { requestsPerMinute: 1 };
  await limits.set(keyLimit('a', some), 'x');
  await limits.set(keyLimit('b', some), 'x');
  await assert.rejects(limits.set(keyLimit('c', some), 'x'), /2 limits are set/);
  assert.equal(await limits.clear({ scope: 'key', id: 'a' }, 'x'), true);
  assert.equal(await limits.clear({ scope: 'key', id: 'a' }, 'x'), false);
  await limits.set(keyLimit('c', some), 'x');
  assert.deepEqual(
    limits.list.map(({ id, slot }) => [id, slot]),
    [
      ['b', 1],
      ['c', 0],
    ],
  );
});

it('a start takes up what is set, and callers see their own: key, group, installation', async () => {
  const told = { changedAt: at, changedBy: 'user:admin' };
  const group = { ...keyLimit('ml', { tokensPerMinute: 5 }), scope: 'group', ...told } as const;
  const { limits } = fixture(memoryStore([group, { ...keyLimit('a'), ...told }]));
  await limits.start();
  const own = limits.viewsOf({ keyId: 'a', groupName: 'ml' });
  assert.deepEqual(
    own.map(({ scope, id }) => [scope, id]),
    [
      ['key', 'a'],
      ['group', 'ml'],
    ],
  );
  assert.deepEqual(
    limits.views().map(({ scope }) => scope),
    ['group', 'key'],
  );
});

it('the limit of a revoked key goes with it, on all threads', async () => {
  const { limits, told } = fixture();
  await limits.set(keyLimit('a', { requestsPerMinute: 1 }), 'x');
  await limits.set(keyLimit('b', { requestsPerMinute: 1 }), 'x');
  limits.keysGone(['c']);
  limits.keysGone(['a', 'c']);
  await limits.clear({ scope: 'key', id: 'none' }, 'x');
  assert.deepEqual(
    told.map((list) => list.map(({ id }) => id)),
    [['a'], ['a', 'b'], ['b']],
  );
  assert.equal(limits.view({ scope: 'key', id: 'a' }), undefined);
});

it('what a dead thread had in flight is free again', async () => {
  const { limits, thread } = fixture();
  await limits.set(keyLimit('a', { concurrentRequests: 3 }), 'x');
  thread.slot(0).enter();
  limits.release(0);
  assert.equal(limits.view({ scope: 'key', id: 'a' })?.left.concurrent_requests, 3);
});
