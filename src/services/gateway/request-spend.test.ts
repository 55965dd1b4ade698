// Goal: one request books, moves and settles its cost exactly once, under a budget of each kind, and a
// thread's rows hold what its requests used. Method: the real shared spend, a clock that is set.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { BackendId } from '../../base/brand.ts';
import type { HardLimitAction } from '../../base/routing-words.ts';
import type { Target } from '../../core/routing/snapshot.ts';
import { monthBudget } from '../../core/usage/month-budget.ts';
import { MonthSpend } from '../../io/shared-memory/month-spend.ts';
import { createWordBlock, openWords } from '../../io/shared-memory/shared-words.ts';
import { defaultJsonLimits } from '../../protocol/openai/json-scan.ts';
import { readRequestBody } from '../../protocol/openai/request-body.ts';
import type { SettledRequest } from './newest-decisions.ts';
import { noOwnCount, RequestSpend } from './request-spend.ts';
import { ThreadSpend } from './thread-spend.ts';
import { UsageAccount } from './usage-account.ts';

const november = Date.UTC(2026, 10, 30, 23, 59);

/** 10 micro-USD for an output token of a cloud backend, nothing for the prompt. */
const prices = {
  dated: '2026-11-01',
  isBuiltIn: false,
  rules: [
    {
      model: 'gpt*',
      backend: undefined,
      inputPerMillion: 0,
      cachedInputPerMillion: 0,
      outputPerMillion: 10_000_000,
      perGpuSecond: 0,
    },
  ],
};

// Money is decided by these members alone.
const cloud = { id: 'cloud' as BackendId, backendType: 'openai', zone: 'open' } as Target;
const own = { id: 'own' as BackendId, backendType: 'vllm', zone: 'restricted' } as Target;

const body = JSON.stringify({
  model: 'gpt',
  messages: [{ role: 'user', content: 'Hello' }],
  max_tokens: 100,
});
const read = readRequestBody('chat', Buffer.from(body), defaultJsonLimits);
assert.ok(read.ok);
const features = read.value;

function fixture(limitUsd = 0, action: HardLimitAction = 'block_cloud') {
  const clock = { ms: november };
  const shared = new MonthSpend(openWords(createWordBlock(MonthSpend.wordsFor(1))), 0);
  const rules = { prices, budget: monthBudget(limitUsd, 75, action) };
  const thread = new ThreadSpend(shared, rules, () => clock.ms);
  const month = (2026 - 1970) * 12 + 10;
  return { thread, clock, spent: (later = 0) => shared.spent(month + later) };
}

function used(promptTokens: number, completionTokens: number) {
  return { kind: 'usage', promptTokens, completionTokens } as const;
}

it('a request is booked at its worst and settled at its real cost', () => {
  const { thread, spent } = fixture();
  const request = new RequestSpend(thread);
  assert.ok(request.book(cloud, 'gpt', features));
  assert.deepEqual([request.estimateMicroUsd, spent()], [1000, 1000]);
  request.take(used(7, 30), noOwnCount, features, cloud, 'gpt');
  assert.equal(request.settle(12.4).costMicroUsd, 300);
  assert.equal(spent(), 300);
});

it('a failover moves the booking, and what was not answered costs nothing', () => {
  const { thread, spent } = fixture();
  const request = new RequestSpend(thread);
  request.book(cloud, 'gpt', features);
  request.book(own, 'gpt', features);
  assert.deepEqual([request.estimateMicroUsd, spent()], [undefined, 0]);
  request.book(cloud, 'gpt', features);
  assert.equal(request.settle(0).costMicroUsd, 0);
  assert.equal(spent(), 0);
});

it('a model of the same name on a machine of one’s own is unpriced', () => {
  const { thread, spent } = fixture();
  const request = new RequestSpend(thread);
  request.book(own, 'gpt', features);
  request.take(used(7, 30), noOwnCount, features, cloud, 'gpt');
  const { costMicroUsd, completionTokens } = request.settle(5);
  assert.deepEqual([costMicroUsd, completionTokens, spent()], [undefined, 30, 0]);
});

it('of a hundred requests at once against a budget for one, one is let in', () => {
  const { thread, spent } = fixture(0.001);
  const requests = Array.from({ length: 100 }, () => new RequestSpend(thread));
  const admitted = requests.filter((request) => request.book(cloud, 'gpt', features));
  assert.equal(admitted.length, 1);
  assert.equal(spent(), 1000);
  const [refused] = requests.filter((request) => !admitted.includes(request));
  assert.equal(refused?.budget, 'HardLimit', 'and its next decision takes the budget for spent');
  // One that costs nothing goes on.
  assert.ok(refused?.book(own, 'gpt', features));
});

it('a budget that only warns lets everything in and says so', () => {
  const { thread } = fixture(0.001, 'warn');
  for (let i = 0; i < 3; i++) assert.ok(new RequestSpend(thread).book(cloud, 'gpt', features));
  const standing = { status: 'HardLimit', utilizationPercent: 300, remaining: 0 };
  assert.deepEqual(thread.standing(), standing);
});

it('the 1st of the month begins with nothing, and ends old bookings without a trace', () => {
  const { thread, clock, spent } = fixture(0.001);
  const old = new RequestSpend(thread);
  old.book(cloud, 'gpt', features);
  assert.equal(thread.status(), 'HardLimit');
  clock.ms += 60_000;
  assert.equal(thread.status(), 'Normal');
  old.take(used(7, 30), noOwnCount, features, cloud, 'gpt');
  old.settle(1);
  assert.equal(spent(1), 300, 'it is charged in the month in which it ends');
});

it('other prices hold from the next request on', () => {
  const { thread } = fixture();
  const request = new RequestSpend(thread);
  request.book(cloud, 'gpt', features);
  thread.configure({ prices: { ...prices, rules: [] }, budget: monthBudget(0, 75, 'warn') });
  const later = new RequestSpend(thread);
  later.book(cloud, 'gpt', features);
  assert.deepEqual([request.estimateMicroUsd, later.estimateMicroUsd], [1000, undefined]);
});

function settled(more: Partial<SettledRequest> = {}): SettledRequest {
  // Usage is decided by these members alone.
  const request = { at: november, keyId: 'k', groupName: 'g', backendId: 'cloud', status: 200 };
  return { ...request, servedModel: 'gpt', ...more } as SettledRequest;
}

it('a thread tells each request once, by its hour, and begins again at nothing', () => {
  const account = new UsageAccount();
  const use = {
    promptTokens: 7,
    completionTokens: 3,
    cachedTokens: 2,
    costMicroUsd: 30,
    backendMs: 5,
  };
  account.add(settled(), use);
  account.add(settled({ status: 503 }), { ...use, costMicroUsd: undefined });
  account.add(settled({ backendId: undefined, servedModel: undefined, status: 404 }), use);
  account.add(settled({ at: november + 60_000 }), use);
  const rows = account.drain();
  assert.deepEqual(
    rows.map((row) => [row.hour % 24, row.model, row.requests, row.priced, row.costMicroUsd]),
    [
      [23, 'gpt', 2, 1, 30],
      [23, '', 1, 1, 30],
      [0, 'gpt', 1, 1, 30],
    ],
  );
  assert.deepEqual([rows[0]?.succeeded, rows[0]?.failed, rows[1]?.refused], [1, 1, 1]);
  assert.deepEqual([rows[0]?.unpriced, rows[1]?.unpriced], [1, 0]);
  assert.deepEqual(account.drain(), []);
});
