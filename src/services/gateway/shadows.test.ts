// Goal: copies stay within their bounds, touch nothing of the client's, and each comes to one outcome.
// Method: a fleet of the test's own, pools that hold every answer back until the test lets it go, and a
// clock in the test's hand.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ShadowedRecord } from '../../core/decisions/decision-record.ts';
import { features, fleetOf, model, target } from '../../core/routing/fleet.test-support.ts';
import type { ShadowRule } from '../../core/routing/shadow-rule.ts';
import { type RoutingSettings, usualSettings } from '../../core/routing/snapshot.ts';
import type { UpstreamHandler, UpstreamPool } from '../../io/http/upstream/upstream.ts';
import { defaultJsonLimits } from '../../protocol/openai/json-scan.ts';
import { readRequestBody } from '../../protocol/openai/request-body.ts';
import { copiedBytesMax, type ShadowPorts, Shadows } from './shadows.ts';
import { ThreadMetrics } from './thread-metrics.ts';
import type { RequestUse, UsedRequest } from './usage-account.ts';

const rule: ShadowRule = {
  name: 'next',
  model: '*',
  toBackend: undefined,
  toModel: 'trial',
  basisPoints: 10_000,
  exceptGroups: [],
};
const primary = {
  model: 'm',
  backendId: 'a',
  status: 200,
  completionTokens: 3,
  firstByteMs: 4,
  totalMs: 40,
};
const answerOf = (content: string): string =>
  JSON.stringify({
    choices: [{ message: { content } }],
    usage: { prompt_tokens: 1, completion_tokens: 2 },
  });

class Bench {
  nowMs = 1000;
  readonly sent: { readonly handler: UpstreamHandler; readonly body: string }[] = [];
  readonly records: ShadowedRecord[] = [];
  readonly used: { readonly by: UsedRequest; readonly use: RequestUse }[] = [];
  readonly later: (() => void)[] = [];
  aborted = 0;
  settings: Partial<RoutingSettings> = {};
  readonly shadows: Shadows;

  constructor(settings: Partial<RoutingSettings['shadow']> = {}) {
    this.settings = { shadow: { ...usualSettings.shadow, ...settings } };
    const fleet = () =>
      fleetOf(
        [
          target('a'),
          target('b', { models: [model('trial')] }),
          target('o', { zone: 'open', models: [model('open')] }),
        ],
        this.settings,
      );
    const ports = {
      counters: fleet().counters,
      credentialOf: () => [],
      journal: { later: (record: ShadowedRecord) => this.records.push(record) },
      metrics: new ThreadMetrics(),
      monotonicMs: () => this.nowMs,
      wallMs: () => this.nowMs,
      settings: {
        build: 'test',
        limits: { upstream: { eventBytes: 65_536 } },
        timeouts: { connectMs: 1e9, firstByteMs: 1e9, idleMs: 1e9 },
      },
      snapshot: () => fleet().snapshot,
      spend: { status: () => 'Normal', book: () => 'unpriced' },
      usage: { add: (by: UsedRequest, use: RequestUse) => this.used.push({ by, use }) },
      openPool: () => this.#pool(),
      later: (act: () => void) => this.later.push(act),
      secret: 'secret',
    };
    // What copies do not reach is not there.
    this.shadows = new Shadows(ports as unknown as ShadowPorts);
  }

  #pool(): UpstreamPool {
    return {
      request: ({ body }, handler) => {
        this.sent.push({ handler, body: body?.toString() ?? '' });
        return {
          connected: true,
          abort: () => {
            this.aborted++;
          },
          forgetRequest() {},
          pause() {},
          resume() {},
        };
      },
      sweep() {},
      close() {},
      stats: { open: 0, idle: 0, opened: 0, reused: 0, retriedOnFresh: 0 },
    };
  }

  /** A request that was answered with `content`. */
  request(content = 'one two three', more: object = {}, rules = [rule]): void {
    const ticket = this.ticket(more, rules);
    if (ticket === undefined) return;
    ticket.answer.whole(answerOf(content));
    this.shadows.ended(ticket, primary);
  }

  ticket(more: object = {}, rules = [rule]) {
    const value = { model: 'm', messages: [{ role: 'user', content: 'x' }], ...more };
    const body = Buffer.from(JSON.stringify(value));
    const read = readRequestBody('chat', body, defaultJsonLimits, { prefixMax: 0 });
    assert.ok(read.ok);
    const of = {
      requestId: '11111111-1111-4111-8111-111111111111',
      groupName: 'g',
      enginePath: '/v1/chat/completions',
      route: features(),
      features: read.value,
      body,
      isKept: true,
    };
    return this.shadows.ticket(of, rules);
  }

  /** What was put off is done. */
  turn(): void {
    for (const act of this.later.splice(0)) act();
  }

  answer(at: number, content: string): void {
    const { handler } = this.sent[at] as { handler: UpstreamHandler };
    handler.onHead(200, ['content-type', 'application/json']);
    handler.onData(Buffer.from(answerOf(content)));
    handler.onEnd();
  }
}

describe('copies of requests', () => {
  it('leave after the answer, in a turn of their own, and are compared', () => {
    const bench = new Bench();
    bench.request('one two three');
    assert.equal(bench.sent.length, 0);
    bench.turn();
    assert.equal(bench.sent.length, 1);
    assert.equal(JSON.parse(bench.sent[0]?.body ?? '').model, 'trial');
    bench.nowMs += 25;
    bench.answer(0, 'one two four');
    const report = bench.shadows.report();
    const row = report?.comparisons[0];
    assert.equal(row?.outcome, 'compared');
    assert.equal(row?.backend, 'b');
    assert.equal(row?.totalMs, 25);
    assert.equal(row?.tokens, 2);
    assert.equal(row?.primaryTokens, 3);
    assert.ok((row?.distance ?? 0) > 0);
    assert.ok((row?.distance ?? 1e9) < 10_000);
    assert.equal(bench.records[0]?.distance, row?.distance);
    assert.equal(bench.used[0]?.by.keyId, '(shadow)');
    assert.equal(bench.shadows.report(), undefined);
    assert.equal(bench.shadows.size, 0);
  });

  it('that have no room are dropped and counted; what hangs holds nobody but itself', () => {
    const bench = new Bench({ queueSize: 2, inFlight: 1 });
    for (let i = 0; i < 5; i++) {
      bench.request();
      bench.turn();
    }
    assert.equal(bench.sent.length, 1);
    assert.equal(bench.shadows.size, 3);
    assert.deepEqual(bench.shadows.report()?.uncompared, [['next', 'dropped', 2]]);
    for (let i = 0; i < 3; i++) {
      bench.answer(i, 'one two three');
      bench.turn();
    }
    const distances = bench.shadows.report()?.comparisons.map(({ distance }) => distance);
    assert.deepEqual(distances, [0, 0, 0]);
  });

  it('that take too long are given up', () => {
    const bench = new Bench({ timeoutSeconds: 10 });
    bench.request();
    bench.turn();
    bench.nowMs += 10_000;
    bench.shadows.sweep(bench.nowMs);
    assert.equal(bench.shadows.size, 1);
    bench.nowMs++;
    bench.shadows.sweep(bench.nowMs);
    assert.equal(bench.shadows.size, 0);
    assert.equal(bench.aborted, 1);
    assert.equal(bench.shadows.report()?.comparisons[0]?.outcome, 'timed_out');
  });

  it('that fail say so, with their status', () => {
    const bench = new Bench();
    bench.request();
    bench.turn();
    bench.sent[0]?.handler.onHead(500, []);
    bench.sent[0]?.handler.onEnd();
    const row = bench.shadows.report()?.comparisons[0];
    assert.equal(row?.outcome, 'failed');
    assert.equal(row?.status, 500);
    assert.equal(row?.distance, undefined);
  });

  it('are not made of answers that did not succeed, of what acts twice, or of what is too long', () => {
    const bench = new Bench();
    const ticket = bench.ticket();
    assert.ok(ticket !== undefined);
    bench.shadows.ended(ticket, undefined);
    bench.request('x', { store: true });
    bench.request('x', { user: 'u'.repeat(copiedBytesMax) });
    bench.turn();
    assert.equal(bench.sent.length, 0);
    const { uncompared } = bench.shadows.report() ?? {};
    assert.deepEqual(uncompared, [
      ['next', 'dropped', 1],
      ['next', 'side_effects', 1],
    ]);
  });

  it('go to nobody that the rules of the model forbid, nor to the very backend that answered', () => {
    const bench = new Bench();
    bench.settings = {
      ...bench.settings,
      policies: [{ model: 'm', privacy: 'restricted', minTier: undefined, fallbackAllowed: true }],
    };
    const rules = [
      { ...rule, toModel: 'open' },
      { ...rule, toModel: undefined, toBackend: 'a' },
      { ...rule, toModel: 'nobody lists it' },
      { ...rule, toBackend: 'a' },
    ];
    for (const one of rules) bench.request('x', {}, [one]);
    bench.turn();
    assert.equal(bench.sent.length, 0);
    assert.deepEqual(bench.shadows.report()?.uncompared, [['next', 'refused', 4]]);
  });

  it('end with their thread', () => {
    const bench = new Bench({ inFlight: 1 });
    bench.request();
    bench.request();
    bench.turn();
    bench.shadows.close();
    assert.equal(bench.aborted, 1);
    assert.equal(bench.shadows.size, 0);
    bench.request();
    bench.turn();
    assert.equal(bench.sent.length, 1);
  });
});
