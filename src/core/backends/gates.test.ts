// Goal: a person reads which gate keeps requests out, and what to do. Method: one record each.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackendId } from '../../base/brand.ts';
import { instant } from '../../base/time.ts';
import type { Backend } from './backend.ts';
import type { BreakerGate } from './breaker-gate.ts';
import { firstClosed, type GateName, gatesOf } from './gates.ts';
import { modelFrom } from './heuristics.ts';
import { historyMs, type StatusSpan, spansMax, spansOfDay, withStatus } from './status-history.ts';

const now = instant(1_000_000_000);

const healthy: Backend = {
  id: 'box' as BackendId,
  name: 'box',
  url: 'http://box:8000',
  backendType: 'vllm',
  status: 'healthy',
  statusReason: undefined,
  statusSince: instant(now - 240_000),
  lastHealthCheck: now,
  lastError: undefined,
  models: [modelFrom('m', {}), modelFrom('n', {})],
  runtime: [],
  closures: [],
  load: undefined,
  currentOperation: undefined,
  priority: 50,
  discoverySource: 'static',
  metadata: {},
  zone: 'restricted',
  tier: 1,
  capacity: 4,
  approved: true,
  simulated: false,
  apiKeyEnv: undefined,
};

function gate(name: GateName, facts: Partial<Backend>, inFlight = 0) {
  const found = gatesOf({ ...healthy, ...facts }, inFlight, now).find((one) => one.name === name);
  assert.ok(found);
  return found;
}

test('a backend that takes requests has no closed gate, and what nothing can close is off', () => {
  const gates = gatesOf(healthy, 3, now);
  assert.equal(firstClosed(gates), undefined);
  assert.deepEqual(
    gates.map(({ name, state }) => `${name} ${state}`),
    [
      'approval open',
      'health open',
      'lifecycle open',
      'zone off',
      'budget off',
      'tier off',
      'quality off',
      'breaker off',
      'capacity open',
    ],
  );
  assert.equal(gate('health', {}).words, 'healthy for 4 m');
  assert.equal(gate('capacity', {}, 3).words, '3 of 4 in flight');
});

test('a found backend that nobody approved says by what it was found and how to approve it', () => {
  const closed = gate('approval', { approved: false, metadata: { found_by: 'mdns' } });
  assert.equal(closed.state, 'closed');
  assert.equal(closed.words, 'found by mdns, nobody has approved it');
  assert.equal(closed.remedy, 'tensorforge backends approve box');
});

test('an unhealthy one says since when, the class of the failure, and what to do', () => {
  const closed = gate('health', { status: 'unhealthy', lastError: 'connection failed: refused' });
  assert.equal(closed.words, 'unhealthy for 4 m: connection failed: refused');
  assert.equal(closed.since, healthy.statusSince);
  assert.match(closed.remedy ?? '', /backends probe box/);
});

test('each reason has its own remedy: a credential, patience, a drain', () => {
  const credential = gate('health', {
    status: 'unhealthy',
    statusReason: 'config_error',
    apiKeyEnv: 'OPENAI_API_KEY',
  });
  assert.match(credential.remedy ?? '', /OPENAI_API_KEY/);
  assert.match(
    gate('health', { status: 'unknown', statusReason: 'rate_limited' }).words,
    /patience/,
  );
  assert.match(gate('health', { status: 'unknown', statusReason: 'warming' }).remedy ?? '', /wait/);
  assert.match(gate('health', { status: 'draining' }).remedy ?? '', /backends resume box/);
});

test('a closed model leaves the backend open for the others; all of them close it', () => {
  const one = gate('lifecycle', { closures: [{ modelId: 'm', reason: 'loading' }] });
  assert.equal(one.state, 'open');
  assert.equal(one.words, '1 of 2 models closed: m (loading)');
  const closures = ['m', 'n'].map((modelId) => ({ modelId, reason: 'unloading' }) as const);
  assert.equal(gate('lifecycle', { closures }).state, 'closed');
});

test('a full backend is closed, and one whose capacity is not known is never called open', () => {
  assert.equal(gate('capacity', {}, 4).state, 'closed');
  assert.equal(gate('capacity', { capacity: 0 }, 100).state, 'off');
});

// ---- the states of a day ---------------------------------------------------------------------

const at = (ms: number) => instant(now + ms);
const state = (status: Backend['status'], lastError?: string) => ({
  ...healthy,
  status,
  lastError,
});

test('a state that lasts is one stretch, a new one ends the one before', () => {
  let spans: readonly StatusSpan[] = withStatus([], state('unknown'), at(0));
  spans = withStatus(spans, state('healthy'), at(10));
  assert.equal(withStatus(spans, state('healthy'), at(20)), spans);
  spans = withStatus(spans, state('unhealthy', 'HTTP error: 500'), at(30));
  assert.deepEqual(
    spans.map(({ status, from, to, words }) => [status, from - now, to && to - now, words]),
    [
      ['unknown', 0, 10, ''],
      ['healthy', 10, 30, ''],
      ['unhealthy', 30, undefined, 'HTTP error: 500'],
    ],
  );
});

test('what ended more than a day ago is let go, and there are never more stretches than the cap', () => {
  let spans = withStatus([], state('unknown'), at(0));
  spans = withStatus(spans, state('healthy'), at(10));
  assert.deepEqual(
    spansOfDay(spans, at(historyMs + 10)).map(({ status }) => status),
    ['healthy'],
  );
  for (let i = 0; i < 1000; i++) {
    spans = withStatus(spans, state(i % 2 === 0 ? 'unhealthy' : 'healthy'), at(20 + i));
  }
  assert.equal(spans.length, spansMax);
  assert.equal(spans.at(-1)?.to, undefined);
});

const breaker = {
  state: 'closed',
  since: undefined,
  probeAt: undefined,
  failures: 0,
  lastFailure: undefined,
  modelsOut: [],
} as const;

function breakerGateOf(facts: Partial<BreakerGate>) {
  const gates = gatesOf(healthy, 0, now, { ...breaker, ...facts });
  const found = gates.find(({ name }) => name === 'breaker');
  assert.ok(found);
  return found;
}

test('a closed breaker is an open gate, and says what is counted', () => {
  assert.equal(breakerGateOf({}).words, 'closed');
  const counting = breakerGateOf({ failures: 3 });
  assert.deepEqual([counting.state, counting.words], ['open', 'closed, 3 failed in a row']);
  assert.equal(counting.remedy, undefined);
});

test('an open breaker closes the gate, since when, why, and when it is tried', () => {
  const since = instant(now - 12_000);
  const found = breakerGateOf({
    state: 'open',
    since,
    probeAt: instant(now + 18_000),
    lastFailure: 'connection refused',
  });
  assert.equal(found.state, 'closed');
  assert.equal(found.words, 'open for 12 s: connection refused; tried again in 18 s');
  assert.equal(found.since, since);
  assert.match(found.remedy ?? '', /tensorforge breakers reset backend:box/);
});

test('a half-open breaker lets its probes pass, and single models do not close the gate', () => {
  const half = breakerGateOf({ state: 'half_open', since: instant(now - 2000) });
  assert.equal(half.state, 'open');
  assert.equal(half.words, 'half open for 2 s, one request at a time tries it');
  const some = breakerGateOf({ modelsOut: ['n'] });
  assert.deepEqual([some.state, some.words], ['open', '1 of 2 models out: n']);
  const many = breakerGateOf({ modelsOut: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] });
  assert.match(many.words, /a, b, c, d, e and 2 more$/);
});
