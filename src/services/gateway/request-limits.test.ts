// Goal: a request is in all scopes that hold for it or in none, a refused one has used nothing, and
// what was estimated gives way to what was used, also when limits change meanwhile. Method: the real
// shared table on two threads, clocks that are set.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import type { LimitScope, UsageLimit } from '../../core/policy/usage-limit.ts';
import type { KeyRecord } from '../../io/credentials/key-table.ts';
import { LimitTable } from '../../io/shared-memory/limit-table.ts';
import { RequestLimits } from './request-limits.ts';
import { type ScopeLimit, ThreadLimits } from './thread-limits.ts';

const november = Date.UTC(2026, 10, 15);

const none: UsageLimit = {
  requestsPerMinute: undefined,
  tokensPerMinute: undefined,
  concurrentRequests: undefined,
  monthBudgetMicroUsd: undefined,
  maxPriorityClass: undefined,
  models: [],
  zones: [],
};

const key: KeyRecord = {
  keyId: 'key_a',
  groupName: 'ml',
  owner: undefined,
  permissions: [],
  models: [],
  secretHash: '',
  issuedAt: 0,
  expiresAt: undefined,
};
const ids: Readonly<Record<LimitScope, string>> = { key: 'key_a', group: 'ml', installation: '' };
const slots: Readonly<Record<LimitScope, number>> = { key: 0, group: 1, installation: 2 };

function limitOf(scope: LimitScope, limit: Partial<UsageLimit>): ScopeLimit {
  return { scope, id: ids[scope], slot: slots[scope], limit: { ...none, ...limit } };
}

function fixture(...list: readonly ScopeLimit[]) {
  const table = LimitTable.create(2, 4);
  const clock = { ms: 0 };
  const threads = [0, 1].map(
    (thread) =>
      new ThreadLimits({ table, originMs: 0, list }, thread, {
        nowMs: () => clock.ms,
        wallMs: () => november,
      }),
  );
  const [first, second] = threads;
  assert.ok(first !== undefined && second !== undefined);
  const owner = new LimitTable(table);
  return {
    clock,
    first,
    second,
    words: (scope: LimitScope) => owner.slot(slots[scope]),
    configure: (...next: readonly ScopeLimit[]) => {
      for (const thread of threads) thread.configure(next);
    },
  };
}

function requestOn(thread: ThreadLimits): RequestLimits {
  const request = RequestLimits.of(thread, key);
  assert.ok(request !== undefined);
  return request;
}

it('nobody asks for limits that are not set, or are set for others', () => {
  const { first } = fixture({ ...limitOf('key', {}), id: 'key_b' });
  assert.equal(RequestLimits.of(first, key), undefined);
  assert.equal(first.narrowed(key), key);
  assert.equal(fixture().first.isEmpty, true);
});

it('what one scope refuses no other scope has counted', () => {
  const { first, second, words } = fixture(
    limitOf('key', { requestsPerMinute: 10 }),
    limitOf('group', { requestsPerMinute: 10, concurrentRequests: 5 }),
    limitOf('installation', { concurrentRequests: 1 }),
  );
  assert.equal(requestOn(first).enter(), undefined);
  const refused = requestOn(second).enter();
  const { scope, kind, bound, left } = refused ?? {};
  assert.deepEqual([scope, kind, bound, left], ['installation', 'concurrency', 1, 0]);
  assert.deepEqual(
    [words('key').requests.left(10, 0), words('group').requests.left(10, 0)],
    [9, 9],
  );
  assert.deepEqual([words('key').inFlight, words('group').inFlight], [1, 1]);
});

it('a refusal says when: with the clock there, the same request comes in', () => {
  const { first, clock } = fixture(limitOf('key', { requestsPerMinute: 2 }));
  requestOn(first).enter();
  requestOn(first).enter();
  const { retryMs = 0 } = requestOn(first).enter() ?? {};
  assert.equal(retryMs, 30_000);
  clock.ms = retryMs - 1;
  assert.notEqual(requestOn(first).enter(), undefined);
  clock.ms = retryMs;
  assert.equal(requestOn(first).enter(), undefined);
});

it('a request that its tokens keep out has used no request and no place', () => {
  const { first, words } = fixture(
    limitOf('key', { requestsPerMinute: 10, tokensPerMinute: 100 }),
    limitOf('group', { tokensPerMinute: 50 }),
  );
  const request = requestOn(first);
  assert.equal(request.enter(), undefined);
  assert.equal(request.takeTokens(20), undefined);
  const other = requestOn(first);
  assert.equal(other.enter(), undefined);
  const { scope, kind, bound, left } = other.takeTokens(40) ?? {};
  assert.deepEqual([scope, kind, bound, left], ['group', 'tokens', 50, 30]);
  other.leave(0);
  assert.equal(words('key').requests.left(10, 0), 9);
  assert.deepEqual([words('key').tokens.left(100, 0), words('group').tokens.left(50, 0)], [80, 30]);
  assert.equal(words('key').inFlight, 1);
});

it('tokens that were not used come back, more are charged, and what is larger waits its turn', () => {
  const { first, words, clock } = fixture(limitOf('key', { tokensPerMinute: 100 }));
  const run = (expected: number, used: number) => {
    const request = requestOn(first);
    assert.equal(request.enter(), undefined);
    const refused = request.takeTokens(expected);
    request.leave(used);
    request.leave(used);
    return refused;
  };
  assert.equal(run(60, 10), undefined);
  assert.equal(words('key').tokens.left(100, 0), 90);
  const { left, retryMs } = run(5000, 0) ?? {};
  assert.deepEqual([left, retryMs], [90, 6000], 'a whole minute of it');
  clock.ms = 6000;
  assert.equal(run(5000, 300), undefined);
  assert.equal(run(1, 0)?.retryMs, 120_000 + 600);
});

it('of a hundred bookings on two threads a budget for one lets one in, on every scope', () => {
  const { first, second, words } = fixture(
    limitOf('key', { monthBudgetMicroUsd: 100 }),
    limitOf('group', { monthBudgetMicroUsd: 1000 }),
  );
  const month = first.month();
  const requests = Array.from({ length: 100 }, (_, i) => requestOn(i % 2 === 0 ? first : second));
  const booked = requests.flatMap((request) => {
    const one = request.book(80);
    return 'code' in one ? [] : [{ request, one }];
  });
  assert.equal(booked.length, 1);
  assert.equal(words('group').spend.spent(month), 80, 'those refused are booked nowhere');
  for (const { request, one } of booked) request.settle(one, 30);
  assert.deepEqual([words('key').spend.spent(month), words('group').spend.spent(month)], [30, 30]);
  const refused = requestOn(first).book(71);
  assert.equal('code' in refused ? refused.code : '', 'insufficient_quota');
  assert.equal(requestOn(first).spentBudget(), undefined);
  const rest = requestOn(first).book(70);
  assert.ok(!('code' in rest));
  assert.equal(requestOn(second).spentBudget()?.code, 'insufficient_quota');
});

it('a request that runs is counted in a limit that is set under it, once, and leaves it', () => {
  const { first, words, configure } = fixture();
  assert.equal(RequestLimits.of(first, key), undefined);
  configure(limitOf('key', { concurrentRequests: 1, tokensPerMinute: 100 }));
  const moved = RequestLimits.moved(undefined, first, key);
  assert.equal(words('key').inFlight, 1);
  configure(
    limitOf('key', { concurrentRequests: 5, tokensPerMinute: 100 }),
    limitOf('group', { monthBudgetMicroUsd: 100 }),
  );
  assert.equal(RequestLimits.moved(moved, first, key), moved);
  assert.deepEqual([words('key').inFlight, words('group').inFlight], [1, 1]);
  moved?.settle([], 40);
  moved?.leave(30);
  assert.deepEqual([words('key').inFlight, words('group').inFlight], [0, 0]);
  assert.equal(words('key').tokens.left(100, 0), 70);
  assert.equal(words('group').spend.spent(first.month()), 40);
});

it('a limit that is taken away lets go of what ran under it', () => {
  const { first, words, configure } = fixture(limitOf('key', { concurrentRequests: 1 }));
  const request = requestOn(first);
  request.enter();
  configure();
  RequestLimits.moved(request, first, key);
  assert.equal(words('key').inFlight, 0);
  request.leave(10);
  assert.equal(words('key').inFlight, 0);
});

it('headers tell the scope with the least left of each kind, and when all of it is back', () => {
  const { first } = fixture(
    limitOf('key', { requestsPerMinute: 100 }),
    limitOf('group', { requestsPerMinute: 4, tokensPerMinute: 100 }),
    limitOf('installation', { tokensPerMinute: 40 }),
  );
  const request = requestOn(first);
  request.enter();
  request.takeTokens(20);
  assert.deepEqual(request.headers(), [
    'x-ratelimit-limit-requests',
    '4',
    'x-ratelimit-remaining-requests',
    '3',
    'x-ratelimit-reset-requests',
    '15s',
    'x-ratelimit-limit-tokens',
    '40',
    'x-ratelimit-remaining-tokens',
    '20',
    'x-ratelimit-reset-tokens',
    '30s',
  ]);
});

it('limits narrow the class, the models and the zones of a key, all of them together', () => {
  const { first } = fixture(
    limitOf('key', { maxPriorityClass: 4, models: ['a*', 'b'] }),
    limitOf('group', { maxPriorityClass: 2, zones: ['restricted', 'open'] }),
    limitOf('installation', { models: ['*b'], zones: ['restricted'] }),
  );
  assert.deepEqual(
    ([5, 3, 1] as const).map((asked) => first.classOf(key, asked)),
    [2, 2, 1],
  );
  const { furtherModels, isRestrictedOnly, keyId } = first.narrowed(key);
  assert.deepEqual(
    [furtherModels, isRestrictedOnly, keyId],
    [[['a*', 'b'], ['*b']], true, 'key_a'],
  );
});

holds(
  'whatever requests do, in the end nothing is in flight and exactly what was used is gone',
  fc.property(
    fc.array(
      fc.record({
        expected: fc.nat(200),
        used: fc.nat(200),
        end: fc.constantFrom('leave', 'withdraw', 'stay'),
      }),
      { maxLength: 20 },
    ),
    (steps) => {
      const { first, second, words } = fixture(
        limitOf('key', { tokensPerMinute: 1000, requestsPerMinute: 12, concurrentRequests: 6 }),
        limitOf('installation', { tokensPerMinute: 2000, concurrentRequests: 5 }),
      );
      let tokens = 0;
      let requests = 0;
      const open: RequestLimits[] = [];
      for (const [i, { expected, used, end }] of steps.entries()) {
        const request = requestOn(i % 2 === 0 ? first : second);
        if (request.enter() !== undefined || request.takeTokens(expected) !== undefined) continue;
        requests += end === 'withdraw' ? 0 : 1;
        if (end === 'stay') open.push(request);
        else if (end === 'withdraw') request.withdraw();
        else {
          tokens += used;
          request.leave(used);
        }
      }
      for (const request of open) request.leave(0);
      assert.deepEqual([words('key').inFlight, words('installation').inFlight], [0, 0]);
      assert.equal(words('key').requests.left(12, 0), Math.max(0, 12 - requests));
      const left = Math.max(0, 1000 - tokens);
      assert.ok(Math.abs(words('key').tokens.left(1000, 0) - left) <= 1);
    },
  ),
  { runs: 300 },
);
