// Goal: invariants H1 to H4 of the checker, and a fleet over real sockets.
// Method: a clock in the test's hands and a registry in memory; probes end when the test says so.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { BackendId } from '../../base/brand.ts';
import { seededRandom } from '../../base/random.ts';
import { type Instant, instant } from '../../base/time.ts';
import type { Backend } from '../../core/backends/backend.ts';
import type { ProbeOutcome } from '../../core/backends/health.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { byPath, startServer } from '../../io/http/probe/json-server.test-support.ts';
import { createProbeClient } from '../../io/http/probe/probe-client.ts';
import { createProbeBackend } from './adapters/probe-backend.ts';
import type { ProbeResult, ProbeTarget } from './adapters/probe-result.ts';
import { HealthChecker, type HealthCheckerConfig, type ProbeReport } from './health-checker.ts';
import type { Clock, ProbeRegistry } from './ports.ts';

/** Virtual time: callbacks run when the test moves the clock. */
class TestClock implements Clock {
  #nowMs = 1_000;
  #nextId = 0;
  readonly timers = new Map<number, { readonly at: number; readonly callback: () => void }>();

  now(): Instant {
    return instant(1_700_000_000_000 + this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const id = this.#nextId++;
    this.timers.set(id, { at: this.#nowMs + delayMs, callback });
    return () => this.timers.delete(id);
  }

  /** Runs every timer up to `byMs` from now in order, letting promises settle between them. */
  async advance(byMs: number): Promise<void> {
    const until = this.#nowMs + byMs;
    for (;;) {
      const next = [...this.timers].sort(([, a], [, b]) => a.at - b.at)[0];
      if (next === undefined || next[1].at > until) break;
      this.timers.delete(next[0]);
      this.#nowMs = Math.max(this.#nowMs, next[1].at);
      next[1].callback();
      await turn();
    }
    this.#nowMs = until;
  }
}

class TestRegistry implements ProbeRegistry {
  readonly backends = new Map<BackendId, Backend>();
  readonly applied: {
    readonly id: BackendId;
    readonly outcome: ProbeOutcome;
    readonly at: Instant;
  }[] = [];

  add(name: string, more: Partial<Backend> = {}): BackendId {
    const id = name as BackendId;
    this.backends.set(id, {
      id,
      name,
      url: `http://127.0.0.1:1/${name}`,
      backendType: 'generic',
      status: 'unknown',
      statusReason: undefined,
      statusSince: instant(0),
      lastHealthCheck: instant(0),
      lastError: undefined,
      models: [],
      priority: 50,
      discoverySource: 'manual',
      metadata: {},
      zone: 'restricted',
      tier: 1,
      capacity: 0,
      approved: true,
      simulated: false,
      runtime: [],
      closures: [],
      load: undefined,
      currentOperation: undefined,
      apiKeyEnv: undefined,
      ...more,
    });
    return id;
  }

  change(id: BackendId, more: Partial<Backend>): void {
    const backend = this.backends.get(id);
    assert.ok(backend);
    this.backends.set(id, { ...backend, ...more });
  }

  listBackends(): readonly Backend[] {
    return [...this.backends.values()];
  }

  getBackend(id: BackendId): Backend | undefined {
    return this.backends.get(id);
  }

  applyProbe(id: BackendId, outcome: ProbeOutcome, at: Instant): void {
    this.applied.push({ id, outcome, at });
    const { status, statusReason, lastError, facts } = outcome;
    this.change(id, {
      status,
      statusReason,
      lastError,
      lastHealthCheck: at,
      ...(facts?.models && { models: facts.models }),
    });
  }

  statusOf(id: BackendId): string | undefined {
    return this.backends.get(id)?.status;
  }
}

const well: ProbeResult = { kind: 'healthy', models: [], latencyMs: 3.7, version: '1.2' };
const ill: ProbeResult = {
  kind: 'unhealthy',
  words: 'connection failed: refused',
  class: 'unreachable',
};

class Scene {
  readonly clock = new TestClock();
  readonly registry = new TestRegistry();
  readonly reports: ProbeReport[] = [];
  readonly errors: unknown[] = [];
  /** What each backend's next probe answers; a missing one stays outstanding until `finish`. */
  readonly answers = new Map<string, ProbeResult>();
  readonly pending: { readonly id: string; readonly finish: (result: ProbeResult) => void }[] = [];
  started = 0;
  most = 0;
  running = 0;
  readonly checker: HealthChecker;

  constructor(config: Partial<HealthCheckerConfig> = {}, probe = this.#probe) {
    this.checker = new HealthChecker({
      registry: this.registry,
      clock: this.clock,
      random: seededRandom(5),
      config,
      probe: (target, signal) => probe.call(this, target, signal),
      onReport: (report) => this.reports.push(report),
      onAdapterError: (_id, error) => this.errors.push(error),
    });
  }

  async #probe(target: ProbeTarget, signal?: AbortSignal): Promise<ProbeResult> {
    this.started += 1;
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    try {
      const answer = this.answers.get(target.id);
      if (answer !== undefined) return await Promise.resolve(answer);
      return await new Promise<ProbeResult>((resolve) => {
        this.pending.push({ id: target.id, finish: resolve });
        signal?.addEventListener('abort', () => resolve(ill), { once: true });
      });
    } finally {
      this.running -= 1;
    }
  }

  async finish(id: string, result: ProbeResult): Promise<void> {
    const index = this.pending.findIndex((one) => one.id === id);
    assert.ok(index >= 0, `no probe of ${id} under way`);
    this.pending.splice(index, 1)[0]?.finish(result);
    await turn();
  }
}

const scenes: Scene[] = [];
function scene(config?: Partial<HealthCheckerConfig>): Scene {
  const made = new Scene(config);
  scenes.push(made);
  return made;
}
afterEach(async () => {
  for (const one of scenes.splice(0)) await one.checker.stop();
});

test('a backend is probed the moment it is added, and its facts reach the registry', async () => {
  const s = scene();
  const id = s.registry.add('a');
  s.answers.set('a', well);
  s.checker.sync();
  await turn();
  assert.equal(s.registry.statusOf(id), 'healthy');
  const { outcome, at } = s.registry.applied[0] ?? {};
  assert.equal(outcome?.facts?.latencyMs, 3, 'whole milliseconds');
  assert.deepEqual(outcome?.facts?.metadata, { version: '1.2' });
  assert.equal(at, s.clock.now());
  const report = s.reports[0];
  assert.deepEqual(
    [report?.id, report?.statusBefore, report?.outcome.status],
    ['a', 'unknown', 'healthy'],
  );
});

test('three failing intervals make it unhealthy, two good ones healthy again', async () => {
  const s = scene();
  const id = s.registry.add('a', { status: 'healthy' });
  s.answers.set('a', ill);
  s.checker.sync();
  await turn();
  assert.equal(s.registry.statusOf(id), 'healthy');
  await s.clock.advance(67_000);
  assert.equal(s.registry.statusOf(id), 'unhealthy');
  assert.equal(s.registry.getBackend(id)?.lastError, 'connection failed: refused');
  s.answers.set('a', well);
  await s.clock.advance(67_000);
  assert.equal(s.registry.statusOf(id), 'healthy');
});

test('status set by others is respected: the registry is asked, nothing is remembered', async () => {
  const s = scene();
  const id = s.registry.add('a');
  s.answers.set('a', well);
  s.checker.sync();
  await turn();
  s.registry.change(id, { status: 'unknown' });
  await s.clock.advance(34_000);
  assert.equal(
    s.registry.statusOf(id),
    'healthy',
    'a transition although the checker saw it healthy before',
  );
  s.registry.change(id, { status: 'draining' });
  await s.clock.advance(200_000);
  assert.equal(s.registry.statusOf(id), 'draining');
});

test('a drain that begins during a probe is not overwritten by its result', async () => {
  const s = scene();
  const id = s.registry.add('a', { status: 'healthy' });
  s.checker.sync();
  await turn();
  s.registry.change(id, { status: 'draining' });
  await s.finish('a', ill);
  assert.equal(s.registry.statusOf(id), 'draining');
});

test('H1 one outstanding probe per backend, and no more than the limit in all', async () => {
  const s = scene({ concurrency: 4 });
  for (let index = 0; index < 10; index += 1) s.registry.add(`b${index}`);
  s.checker.sync();
  await turn();
  assert.deepEqual(s.checker.load, { watched: 10, outstanding: 4 });
  await s.clock.advance(120_000);
  s.checker.sync();
  assert.equal(s.started, 4, 'ticks are skipped while the previous probe runs');
  await s.finish('b0', well);
  assert.equal(s.started, 5, 'the next one takes the free place');
  while (s.pending.length > 0) await s.finish(s.pending[0]?.id ?? '', well);
  assert.ok(s.started >= 10);
  assert.equal(s.most, 4);
});

test('H2 one timer for any number of backends, none without', async () => {
  const s = scene();
  s.checker.sync();
  assert.equal(s.clock.timers.size, 0);
  for (let index = 0; index < 50; index += 1) {
    s.registry.add(`b${index}`);
    s.answers.set(`b${index}`, well);
  }
  s.checker.sync();
  await turn();
  await turn();
  assert.equal(s.registry.applied.length, 50);
  assert.equal(s.clock.timers.size, 1);
});

test('after the common start the probes are spread over the interval', async () => {
  const s = scene();
  for (const name of ['a', 'b', 'c']) {
    s.registry.add(name);
    s.answers.set(name, well);
  }
  s.checker.sync();
  await turn();
  const counts: number[] = [];
  for (let step = 0; step < 3; step += 1) {
    await s.clock.advance(10_000);
    counts.push(s.started);
  }
  assert.deepEqual(counts, [4, 5, 6]);
});

test('H3 the result of a removed backend is discarded, also when the id came back meanwhile', async () => {
  const s = scene();
  const id = s.registry.add('a');
  s.checker.sync();
  await turn();
  s.registry.backends.delete(id);
  s.checker.sync();
  assert.equal(s.checker.load.watched, 0);
  await s.finish('a', ill);
  assert.equal(s.registry.applied.length, 0);
  s.registry.add('b');
  s.checker.sync();
  await turn();
  s.registry.add('b', { url: 'http://127.0.0.1:2' });
  await s.finish('b', ill);
  assert.equal(s.registry.statusOf('b' as BackendId), 'unknown');
  await s.finish('b', well);
  assert.equal(
    s.registry.statusOf('b' as BackendId),
    'healthy',
    'the new one was probed by itself',
  );
});

test('H3 removed and added again at the same address: still another backend', async () => {
  const s = scene();
  const id = s.registry.add('a');
  s.checker.sync();
  await turn();
  s.registry.backends.delete(id);
  s.checker.sync();
  s.registry.add('a');
  s.checker.sync();
  await turn();
  assert.equal(s.pending.length, 2);
  await s.finish('a', ill);
  assert.equal(s.registry.applied.length, 0);
  await s.finish('a', well);
  assert.equal(s.registry.statusOf(id), 'healthy');
});

test('a connect error in traffic brings the next probe forward', async () => {
  const s = scene();
  const id = s.registry.add('a', { status: 'healthy' });
  s.answers.set('a', well);
  s.checker.sync();
  await turn();
  await s.clock.advance(2_000);
  s.answers.set('a', ill);
  s.checker.passiveFailure(id);
  await turn();
  assert.equal(s.started, 2);
  s.checker.passiveFailure(id);
  await s.clock.advance(1_000);
  s.checker.passiveFailure(id);
  await s.clock.advance(1_000);
  assert.equal(s.registry.statusOf(id), 'unhealthy', 'within three seconds instead of ninety');
  s.checker.passiveFailure('nobody' as BackendId);
});

test('traffic that succeeds ends a back-off', async () => {
  const s = scene();
  const id = s.registry.add('a');
  s.answers.set('a', ill);
  s.checker.sync();
  await turn();
  await s.clock.advance(3_000_000);
  const before = s.started;
  s.answers.set('a', well);
  s.checker.passiveSuccess(id);
  await turn();
  assert.equal(s.started, before + 1);
});

test('approval starts afresh at once', async () => {
  const s = scene();
  const id = s.registry.add('a', { approved: false });
  s.answers.set('a', well);
  s.checker.sync();
  await turn();
  assert.equal(s.registry.getBackend(id)?.statusReason, 'pending_approval');
  await s.clock.advance(2_000);
  s.registry.change(id, { approved: true });
  s.checker.sync();
  await turn();
  assert.equal(s.started, 2);
  assert.equal(s.registry.getBackend(id)?.statusReason, undefined);
});

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof TensorForgeError && error.code === code;
}

test('probeNow starts a probe or joins the one under way', async () => {
  const s = scene();
  const id = s.registry.add('a');
  const first = s.checker.probeNow(id);
  const second = s.checker.probeNow(id);
  await turn();
  assert.equal(s.started, 1);
  await s.finish('a', well);
  assert.equal((await first).outcome.status, 'healthy');
  assert.equal(await second, await first);
  const third = s.checker.probeNow(id);
  await s.finish('a', ill);
  assert.deepEqual((await third).result, ill);
  await assert.rejects(s.checker.probeNow('nobody' as BackendId), hasCode('backend_not_found'));
});

test('probeNow goes before what is merely due, and tells when its backend goes', async () => {
  const s = scene({ concurrency: 1 });
  for (const name of ['a', 'b', 'c']) s.registry.add(name);
  s.checker.sync();
  const asked = s.checker.probeNow('c' as BackendId);
  await s.finish('a', well);
  assert.equal(s.pending[0]?.id, 'c');
  s.registry.backends.delete('c' as BackendId);
  s.checker.sync();
  await assert.rejects(asked, hasCode('backend_not_found'));
});

test('H4 after a stop nothing is written and nothing starts', async () => {
  const s = scene();
  const id = s.registry.add('a');
  s.checker.sync();
  const waiting = s.checker.probeNow(id);
  const rejected = assert.rejects(waiting, hasCode('shutting_down'));
  await s.checker.stop();
  await rejected;
  assert.equal(s.registry.applied.length, 0);
  assert.equal(s.clock.timers.size, 0);
  s.checker.sync();
  s.checker.passiveFailure(id);
  await assert.rejects(s.checker.probeNow(id), hasCode('shutting_down'));
  assert.equal(s.started, 1);
});

test('an adapter that throws counts as a failed probe and is told', async () => {
  const s = new Scene({}, async () => {
    throw new Error('a bug');
  });
  scenes.push(s);
  const id = s.registry.add('a');
  s.checker.sync();
  await turn();
  assert.equal(s.registry.statusOf(id), 'unhealthy');
  assert.equal(s.registry.getBackend(id)?.lastError, 'agent error: probe broke');
  assert.equal(s.errors.length, 1);
});

test('a person sees the last probes, the next one, and how many good ones are needed', async () => {
  const s = scene();
  const id = s.registry.add('a', { status: 'healthy' });
  assert.equal(s.checker.describe(id), undefined, 'nobody watches it yet');
  s.answers.set('a', ill);
  s.checker.sync();
  await turn();
  s.answers.set('a', well);
  await s.clock.advance(30_000);
  const told = s.checker.describe(id);
  assert.deepEqual(
    told?.entries.map(({ kind, words, latencyMs, status }) => [kind, words, latencyMs, status]),
    [
      ['healthy', '', 3.7, 'healthy'],
      ['unhealthy', 'connection failed: refused', undefined, 'healthy'],
    ],
  );
  assert.deepEqual([told?.failures, told?.successes, told?.recoveryNeeded], [0, 1, 2]);
  assert.ok((told?.nextProbeInMs ?? 0) > 0);
  await s.clock.advance(7_200_000);
  assert.equal(s.checker.describe(id)?.entries.length, 50, 'the newest fifty');
});

test('hanging backends hold their own places only: the others are judged meanwhile', async () => {
  const s = scene({ concurrency: 8 });
  for (let i = 0; i < 40; i++) {
    s.registry.add(`b${i}`);
    // Every eighth accepts and never answers.
    if (i % 8 !== 0) s.answers.set(`b${i}`, well);
  }
  s.checker.sync();
  for (let i = 0; i < 40; i++) await turn();
  const judged = [...s.registry.backends.values()].filter(({ status }) => status === 'healthy');
  assert.equal(judged.length, 35);
  assert.equal(s.checker.load.outstanding, 5);
  assert.ok(s.most <= 8);
});

test('a thousand cycles leave nothing behind', async () => {
  const s = scene();
  for (const name of ['a', 'b', 'c']) {
    s.registry.add(name);
    s.answers.set(name, name === 'b' ? ill : well);
  }
  s.checker.sync();
  await turn();
  await s.clock.advance(30_000 * 1_000);
  assert.deepEqual(s.checker.load, { watched: 3, outstanding: 0 });
  assert.equal(s.clock.timers.size, 1);
  assert.ok(s.started > 2_000);
});

test('real sockets: one engine well, one gone, one silent, all judged within the time-out', async () => {
  const engine = await startServer(byPath({ '/v1/models': { data: [{ id: 'm' }] } }));
  const silent = await startServer(() => undefined);
  const gone = await startServer(byPath({}));
  await gone.close();
  const registry = new TestRegistry();
  const client = createProbeClient({
    monotonicMs: () => performance.now(),
    mayContact: () => true,
  });
  const checker = new HealthChecker({
    registry,
    clock: {
      now: () => instant(Date.now()),
      monotonicMs: () => performance.now(),
      after: (delayMs, callback) => {
        const timer = setTimeout(callback, delayMs);
        return () => clearTimeout(timer);
      },
    },
    random: seededRandom(1),
    probe: createProbeBackend({ client, timeoutMs: 500, readCredential: () => undefined }),
  });
  try {
    const ids = [engine, silent, gone].map(({ url, port }) => registry.add(`p${port}`, { url }));
    const startedAt = performance.now();
    await Promise.all(ids.map((id) => checker.probeNow(id)));
    assert.ok(performance.now() - startedAt < 10_000, 'nobody hangs');
    assert.deepEqual(
      ids.map((id) => registry.statusOf(id)),
      ['healthy', 'unhealthy', 'unhealthy'],
    );
    assert.deepEqual(
      ids.map((id) => registry.getBackend(id)?.lastError),
      [undefined, 'request timeout after 0.5s', 'connection failed: refused'],
    );
    assert.deepEqual(
      registry.getBackend(ids[0] as BackendId)?.models.map(({ id }) => id),
      ['m'],
    );
  } finally {
    await checker.stop();
    await engine.close();
    await silent.close();
  }
});
