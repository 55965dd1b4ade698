// Goal: only requests that mean the same go together, and a request hears the end of its seat once,
// whatever comes in whatever order. Method: seats of bodies that were read as usual, over the real
// shared spend, with an owner that writes down what it hears.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BackendId } from '../../base/brand.ts';
import type { Decision } from '../../core/routing/decide.ts';
import { features as route } from '../../core/routing/fleet.test-support.ts';
import type { Target } from '../../core/routing/snapshot.ts';
import { monthBudget } from '../../core/usage/month-budget.ts';
import { MonthSpend } from '../../io/shared-memory/month-spend.ts';
import { createWordBlock, openWords } from '../../io/shared-memory/shared-words.ts';
import { defaultJsonLimits } from '../../protocol/openai/json-scan.ts';
import { type RequestKind, readRequestBody } from '../../protocol/openai/request-body.ts';
import type { AdmittedHead } from './admission.ts';
import { JointSeat, type SeatFacts, type SeatOwner } from './joint-seat.ts';
import { noOwnCount, RequestSpend } from './request-spend.ts';
import { RequestTimes } from './request-times.ts';
import { ThreadSpend } from './thread-spend.ts';
import { badAnswer } from './upstream-failure.ts';

const shared = new MonthSpend(openWords(createWordBlock(MonthSpend.wordsFor(1))), 0);
const prices = { dated: '2026-11-01', isBuiltIn: false, rules: [] };
const rules = { prices, budget: monthBudget(0, 75, 'block_cloud') };
const thread = new ThreadSpend(shared, rules, () => 0);
// A seat looks at nothing else of them.
const backend = { id: 'own' as BackendId, models: [] as readonly never[] } as unknown as Target;
const decision = { kind: 'route', target: backend } as Extract<Decision, { kind: 'route' }>;

type Asked = {
  readonly body?: object;
  readonly kind?: RequestKind;
  readonly group?: string;
  readonly route?: Parameters<typeof route>[0];
};

function factsOf({
  body = { input: 'abcdefgh' },
  kind = 'embeddings',
  group = 'ml',
  ...more
}: Asked) {
  const bytes = Buffer.from(JSON.stringify({ model: 'm', ...body }));
  const read = readRequestBody(kind, bytes, defaultJsonLimits);
  assert.ok(read.ok);
  const head = { requestId: 'r', priorityClass: 3, key: { groupName: group } };
  const facts: SeatFacts = {
    head: head as unknown as AdmittedHead,
    admitted: { route: route({ operation: kind, ...more.route }), fallbacks: [] },
    features: read.value,
    body: bytes,
    journal: { batched: () => undefined, routingOn: () => undefined },
    spend: new RequestSpend(thread),
    times: new RequestTimes(0),
    nowMs: 0,
  };
  return facts;
}

class Owner implements SeatOwner {
  readonly heard: string[] = [];

  onJointSent(): void {
    this.heard.push('sent');
  }

  onJointAnswer(status: number, _: string, text: string): void {
    this.heard.push(`answer ${status} ${text}`);
  }

  onAlone(tried: readonly Target[], lost: object | undefined): void {
    this.heard.push(`alone ${tried.length} ${lost === undefined ? 'unharmed' : 'lost'}`);
  }
}

function seatOf(asked: Asked = {}) {
  const owner = new Owner();
  const facts = factsOf(asked);
  const seat = JointSeat.of(owner, facts);
  assert.ok(seat !== undefined);
  return { owner, facts, seat };
}

const stay = { batchId: 'b', size: 2, limit: 2, cause: 'full', waitedMs: 0 } as const;
const answer = { status: 200, contentType: 'application/json', text: 'mine' };
const failure = badAnswer('no');

/** A batch that counts who left it. */
function course() {
  const left: JointSeat[] = [];
  return { left: (seat: JointSeat) => void left.push(seat), sweep: () => undefined, gone: left };
}

describe('a seat', () => {
  it('is for what can go together', () => {
    const owner = new Owner();
    const never: readonly Asked[] = [
      { kind: 'chat', body: { messages: [{ role: 'user', content: 'x' }] } },
      { kind: 'completions', body: { prompt: 'x', stream: true } },
      { kind: 'completions', body: { prompt: 'x', seed: 2 ** 60 } },
    ];
    for (const asked of never) {
      assert.equal(JointSeat.of(owner, factsOf(asked)), undefined, JSON.stringify(asked));
    }
  });

  it('is beside those that mean the same to a decision and an engine, and are of one group', () => {
    const usual = seatOf().seat.dtype;
    const same: readonly Asked[] = [
      { body: { input: ['x', 'y'] } },
      { body: { input: 'x', user: 'ana' } },
      { route: { prefixKey: 7, estimatedTokens: 9 } },
    ];
    const others: readonly Asked[] = [
      { group: 'lab' },
      { body: { input: [1, 2] } },
      { body: { input: 'x', dimensions: 8 } },
      { route: { region: 'north' } },
      { route: { restrictedOnly: true } },
      { route: { affinityKey: 7 } },
      { route: { split: { experiment: 'e', arm: 'a', stickyHash: 1 } } },
    ];
    for (const asked of same) assert.equal(seatOf(asked).seat.dtype, usual, JSON.stringify(asked));
    for (const asked of others) {
      assert.notEqual(seatOf(asked).seat.dtype, usual, JSON.stringify(asked));
    }
  });

  it('tells the answer once, with its share of the usage', () => {
    const { owner, facts, seat } = seatOf();
    seat.sent(course(), decision, stay, 1);
    const usage = { promptTokens: 4, completionTokens: 0, cachedTokens: 0 };
    for (let i = 0; i < 2; i++) seat.answered(answer, usage, noOwnCount, 12, 2);
    seat.alone(3);
    seat.leave(3);
    assert.deepEqual(owner.heard, ['sent', 'answer 200 mine']);
    assert.equal(facts.spend.use?.promptTokens, 4);
    assert.equal(seat.backendMs, 12);
  });

  it('says nothing after its request left, which is charged if its batch was out', () => {
    const waiting = seatOf();
    waiting.seat.leave(1);
    assert.equal(waiting.facts.spend.use, undefined);
    const out = seatOf();
    const batch = course();
    out.seat.sent(batch, decision, stay, 1);
    out.seat.leave(2);
    out.seat.leave(2);
    out.seat.answered(answer, undefined, noOwnCount, 1, 3);
    out.seat.alone(3);
    assert.deepEqual(out.owner.heard, ['sent']);
    assert.equal(batch.gone.length, 1);
    assert.equal(out.facts.spend.use?.promptTokens, out.facts.features.estimatedTokens);
    assert.ok(out.facts.features.estimatedTokens > 0);
  });

  it('goes on alone with what it lost, and with the backends that failed it', () => {
    const { owner, seat } = seatOf();
    seat.sent(course(), decision, stay, 1);
    seat.failed(backend, failure, 2);
    seat.alone(3);
    seat.alone(3);
    assert.deepEqual(owner.heard, ['sent', 'alone 1 lost']);
  });

  it('lost nothing when the whole was refused for what may be the fault of another', () => {
    const { owner, seat } = seatOf();
    seat.sent(course(), decision, stay, 1);
    seat.refused(undefined, 2);
    seat.alone(2);
    assert.deepEqual(owner.heard, ['sent', 'alone 0 unharmed']);
  });

  it('counts the wait for others as a wait, and the work of the backend as none of ours', () => {
    const { facts, seat } = seatOf();
    facts.times.queueBegan(0);
    seat.sent(course(), decision, stay, 40);
    seat.failed(backend, failure, 100);
    seat.sent(course(), decision, stay, 120);
    seat.begun(150);
    seat.answered(answer, undefined, noOwnCount, 1, 170);
    assert.equal(facts.times.queueMs(170), 60);
    assert.equal(facts.times.overheadMs(170), 0);
    assert.equal(facts.times.firstByteMs, 150);
  });
});
