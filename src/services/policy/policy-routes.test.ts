// Goal: the routes answer by their schemas, ask for the permission that they must, and refuse a pin
// without a reason. Method: the declared handlers on a keeper whose store is in memory; bodies and
// queries go through the declared schemas first, as in the control server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from '../../base/assert.ts';
import type { ControlCall, Principal } from '../../io/http/control-route.ts';
import { policyHistorySchema, policyViewSchema } from '../../protocol/control/trust-schemas.ts';
import { Bench, keeperSettings, MemoryStore } from './keeper.test-support.ts';
import { policyRoutes } from './policy-routes.ts';

const principal: Principal = {
  text: 'user:ana',
  kind: 'key',
  user: 'ana',
  groupName: 'admin',
  permissions: new Set(['policy:read', 'policy:write']),
  keyId: 'key_1',
};

async function installation() {
  const store = new MemoryStore();
  const bench = await new Bench(store).open();
  const routes = policyRoutes({
    keeper: () => bench.keeper,
    plan: { tickSeconds: 10, firstByteMs: 2000, periodDays: 30 },
    now: () => bench.now,
  });
  const ask = async (method: string, path: string, given: Partial<ControlCall> = {}) => {
    const route = present(
      routes.find((each) => each.method === method && each.path === path),
      `${method} ${path}`,
    );
    const body = route.body === undefined ? undefined : route.body.parse(given.body);
    const query = route.query === undefined ? {} : route.query.parse(given.query ?? {});
    const peer = { address: '127.0.0.1', isTls: false };
    const call: ControlCall = {
      principal,
      maybePrincipal: principal,
      params: {},
      query,
      body,
      peer,
      cookie: undefined,
    };
    const answer = await route.handle(call);
    assert.equal(answer.status, 200);
    return answer.body;
  };
  return { store, bench, routes, ask };
}

test('reading needs policy:read, pinning policy:write', async () => {
  const { routes } = await installation();
  assert.deepEqual(
    routes.map(({ method, path, needs }) => [
      method,
      path,
      needs.kind === 'permission' ? needs.permission : needs.kind,
    ]),
    [
      ['GET', '/api/v1/policy', 'policy:read'],
      ['GET', '/api/v1/policy/history', 'policy:read'],
      ['PUT', '/api/v1/policy/pin', 'policy:write'],
      ['DELETE', '/api/v1/policy/pin', 'policy:write'],
    ],
  );
});

test('the view tells mode, both ways, budget, burn and what each mode changes', async () => {
  const { bench, ask } = await installation();
  await bench.ticks(2, 20, 10);
  await bench.ticks(2, 100);
  const view = policyViewSchema.parse(await ask('GET', '/api/v1/policy'));
  assert.deepEqual([view.mode, view.ladder_mode, view.pin], ['watch', 'watch', null]);
  assert.match(view.verdict, /^Mode watch since .*: 10 of 20 requests failed/);
  assert.deepEqual(view.up, {
    burst: 2 - 2,
    burst_needed: 2,
    risk: view.up.risk,
    risk_threshold: keeperSettings.riskThreshold,
    cooldown_left_seconds: 100,
    suppressed: 0,
  });
  assert.deepEqual(view.down, {
    streak: 2,
    streak_needed: 5,
    hold_left_seconds: 10,
    recovered: false,
  });
  assert.deepEqual([view.slo.requests, view.slo.bad], [240, 20]);
  assert.ok(Math.abs((view.slo.budget_left ?? 0) - (1 - 20 / 120)) < 1e-6);
  assert.deepEqual(
    view.burn.map(({ name, long_seconds: long, short_seconds: short }) => [name, long, short]),
    [
      ['fast', 3600, 300],
      ['slow', 21_600, 1800],
      ['ticket', 259_200, 21_600],
    ],
  );
  assert.deepEqual(
    view.effects.map((each) => [each.mode, each.calm_ticks, each.cooldown_seconds]),
    [
      ['normal', null, 60],
      ['watch', 5, 120],
      ['restricted', 7, 240],
      ['halted', 10, 480],
    ],
  );
});

test('a pin takes a reason and an expiry, shows both, and is lifted with a reason', async () => {
  const { store, ask } = await installation();
  const body = { mode: 'restricted', reason: ' move ', expires_in_seconds: 7200 };
  const pinned = policyViewSchema.parse(await ask('PUT', '/api/v1/policy/pin', { body }));
  assert.equal(pinned.mode, 'restricted');
  assert.equal(pinned.ladder_mode, 'normal');
  assert.deepEqual(pinned.pin, {
    mode: 'restricted',
    by: 'user:ana',
    reason: 'move',
    since: '2023-11-14T22:14:00.000Z',
    until: '2023-11-15T00:14:00.000Z',
  });
  const lifted = await ask('DELETE', '/api/v1/policy/pin', { query: { reason: 'moved' } });
  assert.equal(policyViewSchema.parse(lifted).pin, null);
  assert.deepEqual(store.kinds, ['mode_pinned', 'mode_unpinned']);
  assert.equal(store.events[1]?.actor, 'user:ana');
});

test('no reason, a blank one, and one that cannot be stored are refused, and change nothing', async () => {
  const { store, ask } = await installation();
  const pin = (reason: string | undefined) =>
    ask('PUT', '/api/v1/policy/pin', { body: { mode: 'watch', reason, expires_in_seconds: null } });
  await assert.rejects(pin(undefined), { name: 'ZodError' });
  await assert.rejects(pin('  '), { code: 'invalid_request', message: /blank/ });
  await assert.rejects(pin('a\0b'), { code: 'invalid_request' });
  await assert.rejects(ask('DELETE', '/api/v1/policy/pin'), { name: 'ZodError' });
  assert.deepEqual(store.kinds, []);
});

test('the history has 360 points of a minute each, and its limit is a number', async () => {
  const { bench, ask } = await installation();
  await bench.ticks(12, 100, 50);
  const answer = await ask('GET', '/api/v1/policy/history', { query: { limit: '3' } });
  const history = policyHistorySchema.parse(answer);
  assert.equal(history.burn.length, 360);
  assert.equal((history.burn[1]?.t ?? 0) - (history.burn[0]?.t ?? 0), 60);
  assert.equal(history.burn.at(-1)?.five_minutes, 1);
  await assert.rejects(ask('GET', '/api/v1/policy/history', { query: { limit: 'x' } }));
});
