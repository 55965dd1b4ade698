// Goal: what is found comes into the registry, goes out of it, and never gets what nobody gave it.
// Method: the real registry, a clock in the hand of the test, scans and announcements as they are told.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestFleet } from '../../../test/registry/fleet.test-support.ts';
import type { BackendType } from '../../base/backend-type.ts';
import type { BackendId } from '../../base/brand.ts';
import { instant } from '../../base/time.ts';
import { isOwnEndpoint, sameEndpoint } from '../../core/backends/discovered.ts';
import type { Candidate } from '../../core/backends/mdns-record.ts';
import type { PortReport } from './discovery.ts';
import { DiscoveryLoop, sweepEveryMs } from './discovery-loop.ts';
import type { MdnsNews } from './mdns-listener.ts';
import type { Clock } from './ports.ts';

const ownAddresses = new Set(['127.0.0.1', '::1', '192.168.1.5']);
const graceMs = 60_000;
const intervalMs = 30_000;

/** Time that passes when the test says so; what is due is called in its order. */
class HandClock implements Clock {
  #nowMs = 0;
  readonly #waiting = new Set<{ readonly atMs: number; readonly callback: () => void }>();

  now = () => instant(this.#nowMs);
  monotonicMs = () => this.#nowMs;
  after(delayMs: number, callback: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, callback };
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }

  async pass(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#waiting].filter(({ atMs }) => atMs <= end);
      const next = due.sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#waiting.delete(next);
      this.#nowMs = next.atMs;
      next.callback();
      // A scan arms the next one when it has been read.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#nowMs = end;
  }

  get waiting(): number {
    return this.#waiting.size;
  }
}

function engine(port: number, more: Partial<Extract<PortReport, { answer: 'engine' }>> = {}) {
  const host = more.host ?? '127.0.0.1';
  return {
    host,
    port,
    url: `http://${host}:${port}`,
    answer: 'engine',
    ms: 1,
    type: 'ollama',
    models: [],
    ownerUid: 0,
    approved: true,
    ...more,
  } as const;
}

const nothing = (port: number) =>
  ({ host: '127.0.0.1', port, url: `http://127.0.0.1:${port}`, answer: 'nothing', ms: 1 }) as const;

function candidate(label: string, url: string, type: BackendType = 'vllm'): Candidate {
  return { instance: `${label}._llm._tcp.local`, name: label, url, type, version: '1.2' };
}

class Discovering {
  readonly clock = new HandClock();
  readonly warnings: string[] = [];
  readonly probed: BackendId[] = [];
  readonly registry = new TestFleet({
    sameEndpoint: (a, b) => sameEndpoint(a, b, ownAddresses),
  });
  readonly fleet = this.registry.fleet;
  readonly loop: DiscoveryLoop;
  hears: readonly PortReport[] = [];
  news: MdnsNews | undefined;
  synced = 0;

  constructor(settings: { autoApprove?: boolean; intervalMs?: number } = {}) {
    this.loop = new DiscoveryLoop({
      fleet: this.fleet,
      clock: this.clock,
      scan: async () => this.hears,
      mdns: {
        start: (news) => {
          this.news = news;
        },
        stop: async () => undefined,
      },
      isOwn: (url) => isOwnEndpoint(url, [8120], ownAddresses),
      settings: { intervalMs, graceMs, autoApprove: false, ...settings },
      sync: () => {
        this.synced += 1;
      },
      probeNow: async (id) => this.probed.push(id),
      log: { info: () => undefined, warn: (_facts, words) => this.warnings.push(words) },
    });
  }

  async begin(hears: readonly PortReport[] = []): Promise<this> {
    this.hears = hears;
    await this.loop.start();
    return this;
  }

  found(one: Candidate): void {
    this.news?.onFound(one);
  }

  gone(label: string): void {
    this.news?.onGone(`${label}._llm._tcp.local`, 'it withdrew its announcement');
  }

  get ids(): string[] {
    return this.fleet.listBackends().map(({ id }) => id);
  }
}

const lan = 'http://192.168.1.20:8000';

test('what a scan finds is listed: trusted listeners at once, others pending in the open zone', async () => {
  const at = await new Discovering().begin([
    engine(11434),
    engine(8000, { host: '10.0.0.7', type: 'vllm', approved: false }),
  ]);
  const [own, far] = at.fleet.listBackends();
  assert.ok(own !== undefined && far !== undefined);
  assert.deepEqual(
    [own.id, own.approved, own.zone, own.priority, own.tier, own.discoverySource],
    ['ollama-11434', true, 'restricted', 50, 1, 'mdns'],
  );
  assert.deepEqual(
    [far.id, far.approved, far.zone, far.statusReason, far.metadata['found_by']],
    ['vllm-10-0-0-7-8000', false, 'open', 'pending_approval', 'scan'],
  );
  assert.equal(at.synced, 2);
});

test('an announced engine is pending in the open zone, with its instance and version', async () => {
  const at = await new Discovering().begin();
  at.found(candidate('box', lan));
  const [box] = at.fleet.listBackends();
  assert.ok(box !== undefined);
  assert.deepEqual(
    [box.id, box.url, box.backendType, box.approved, box.zone, box.priority, box.tier],
    ['box', lan, 'vllm', false, 'open', 50, 1],
  );
  assert.equal(box.metadata['mdns_instance'], 'box._llm._tcp.local');
  assert.equal(box.metadata['version'], '1.2');
  assert.equal(at.fleet.findByMdnsInstance('box._llm._tcp.local'), 'box');
});

test('only with auto-approval it takes requests at once, and still in the open zone', async () => {
  const at = await new Discovering({ autoApprove: true }).begin();
  at.found(candidate('box', lan));
  const [box] = at.fleet.listBackends();
  assert.equal(box?.approved, true);
  assert.equal(box?.zone, 'open');
});

test('one listener under several addresses is one backend, and we are none', async () => {
  const at = await new Discovering().begin([engine(11434), engine(11434, { host: 'localhost' })]);
  at.found(candidate('box', 'http://192.168.1.5:11434', 'ollama'));
  at.found(candidate('us', 'http://192.168.1.5:8120', 'generic'));
  assert.deepEqual(at.ids, ['ollama-11434']);
  assert.equal(at.fleet.findByMdnsInstance('box._llm._tcp.local'), undefined);
});

test('a configured backend is not discovered again, and takes the place of what was', async () => {
  const at = new Discovering();
  at.registry.add('mine', { url: 'http://localhost:11434' });
  await at.begin([engine(11434)]);
  at.found(candidate('box', lan));
  assert.deepEqual(at.ids, ['mine', 'box']);
  at.registry.add('yours', { url: lan, source: 'manual' });
  assert.deepEqual(at.ids, ['mine', 'yours']);
  at.gone('box');
  await at.clock.pass(graceMs * 3);
  assert.deepEqual(at.ids, ['mine', 'yours']);
});

test('a goodbye is told at once and forgotten after the grace', async () => {
  const at = await new Discovering().begin();
  at.found(candidate('box', lan));
  at.registry.probed('box' as BackendId, { status: 'healthy' });
  at.gone('box');
  const [box] = at.fleet.listBackends();
  assert.equal(box?.status, 'unknown');
  assert.equal(box?.lastError, 'it withdrew its announcement');
  assert.deepEqual(at.warnings, ['box has gone: it withdrew its announcement']);
  await at.clock.pass(graceMs - sweepEveryMs);
  assert.deepEqual(at.ids, ['box']);
  await at.clock.pass(sweepEveryMs);
  assert.deepEqual(at.ids, []);
});

test('whoever comes back within the grace keeps its id and is probed at once', async () => {
  const at = await new Discovering().begin();
  at.found(candidate('box', lan));
  at.gone('box');
  await at.clock.pass(graceMs - sweepEveryMs);
  at.found(candidate('box', lan));
  assert.deepEqual(at.probed, ['box']);
  await at.clock.pass(graceMs * 2);
  assert.deepEqual(at.ids, ['box']);
});

test('after the grace it comes back under the same id, pending', async () => {
  const at = await new Discovering().begin();
  at.found(candidate('box', lan));
  at.gone('box');
  await at.clock.pass(graceMs * 2);
  at.found(candidate('box', lan));
  assert.deepEqual(at.ids, ['box']);
  assert.equal(at.fleet.getBackend('box' as BackendId)?.approved, false);
});

test('an approved one stays for ever, and the probe that follows a goodbye decides', async () => {
  const at = await new Discovering().begin();
  at.found(candidate('box', lan));
  at.fleet.approve('box', 'open');
  at.gone('box');
  assert.equal(at.fleet.getBackend('box' as BackendId)?.status, 'unknown');
  assert.deepEqual(at.probed, ['box']);
  await at.clock.pass(graceMs * 10);
  assert.deepEqual(at.ids, ['box']);
});

test('one that somebody changed stays too', async () => {
  const changes = [{ priority: 10 }, { tier: 3 }, { capacity: 4 }, { zone: 'restricted' }] as const;
  for (const change of changes) {
    const at = await new Discovering().begin();
    at.found(candidate('box', lan));
    at.fleet.edit('box', change);
    at.gone('box');
    await at.clock.pass(graceMs * 2);
    assert.deepEqual(at.ids, ['box'], JSON.stringify(change));
  }
  const at = await new Discovering().begin();
  at.found(candidate('box', lan));
  at.fleet.setDraining('box', true);
  at.gone('box');
  await at.clock.pass(graceMs * 2);
  assert.equal(at.fleet.getBackend('box' as BackendId)?.status, 'draining');
});

test('nobody is removed who carries a request', async () => {
  const at = await new Discovering({ autoApprove: true }).begin();
  at.found(candidate('box', lan));
  const { arena, fleet } = at.registry;
  const handle = fleet.handleOf('box');
  arena.increment(handle, 0);
  at.gone('box');
  await at.clock.pass(graceMs * 2);
  assert.deepEqual(at.ids, ['box']);
  arena.decrement(handle, 0);
  await at.clock.pass(sweepEveryMs);
  assert.deepEqual(at.ids, []);
});

test('a port that is silent twice in a row has gone; once, or oddly, it has not', async () => {
  const at = await new Discovering().begin([engine(11434)]);
  const odd = { ...nothing(11434), answer: 'not_an_engine' } as const;
  const scans: readonly PortReport[] = [nothing(11434), engine(11434), odd, odd, odd];
  for (const report of [...scans, nothing(11434)]) {
    at.hears = [report];
    await at.clock.pass(intervalMs);
    assert.deepEqual(at.warnings, []);
  }
  await at.clock.pass(intervalMs);
  assert.deepEqual(at.warnings, ['ollama-11434 has gone: nothing listens there']);
  await at.clock.pass(graceMs + sweepEveryMs);
  assert.deepEqual(at.ids, []);
  at.hears = [engine(11434)];
  await at.clock.pass(intervalMs);
  assert.deepEqual(at.ids, ['ollama-11434']);
});

test('another engine on a port replaces what nobody touched, and only that', async () => {
  const at = await new Discovering().begin([engine(8000, { type: 'generic' })]);
  at.hears = [engine(8000, { type: 'vllm' })];
  await at.clock.pass(intervalMs);
  assert.deepEqual(at.ids, ['vllm-8000']);
  at.fleet.edit('vllm-8000', { priority: 1 });
  at.hears = [engine(8000, { type: 'generic' })];
  await at.clock.pass(intervalMs);
  assert.deepEqual(at.ids, ['vllm-8000']);
});

test('an approved backend is never led to another address', async () => {
  const at = await new Discovering().begin();
  at.found(candidate('box', lan));
  at.fleet.approve('box', 'restricted');
  at.found(candidate('box', 'http://192.168.1.66:8000'));
  const [box, impostor] = at.fleet.listBackends();
  assert.deepEqual([box?.url, box?.approved], [lan, true]);
  assert.deepEqual([impostor?.url, impostor?.approved], ['http://192.168.1.66:8000', false]);
  assert.notEqual(impostor?.id, 'box');
  assert.equal(at.fleet.findByMdnsInstance('box._llm._tcp.local'), impostor?.id);
  at.registry.probed('box' as BackendId, { status: 'healthy' });
  assert.equal(at.fleet.findByMdnsInstance('box._llm._tcp.local'), impostor?.id);
});

test('one that nobody approved moves with its announcement', async () => {
  const at = await new Discovering().begin();
  at.found(candidate('box', lan));
  at.found(candidate('box', 'http://192.168.1.21:8000'));
  assert.deepEqual(
    at.fleet.listBackends().map(({ id, url }) => [id, url]),
    [['box', 'http://192.168.1.21:8000']],
  );
});

test('a second name for one that is there has no say over it', async () => {
  const at = await new Discovering().begin();
  at.found(candidate('box', lan));
  at.found(candidate('rival', lan));
  at.gone('rival');
  assert.deepEqual(at.warnings, []);
  at.gone('box');
  at.found(candidate('rival', lan));
  assert.deepEqual(at.probed, ['box'], 'renamed: the same backend under its new name');
  at.gone('rival');
  assert.equal(at.warnings.length, 2);
});

test('what an operator removed is not listed again while it is there', async () => {
  const at = await new Discovering().begin([engine(11434)]);
  at.found(candidate('box', lan));
  at.fleet.remove('ollama-11434');
  at.fleet.remove('box');
  at.found(candidate('box', lan));
  await at.clock.pass(intervalMs * 3);
  assert.deepEqual(at.ids, []);
  at.hears = [nothing(11434)];
  await at.clock.pass(intervalMs);
  at.hears = [engine(11434)];
  await at.clock.pass(intervalMs);
  assert.deepEqual(at.ids, ['ollama-11434'], 'it was gone meanwhile, so it is another find');
});

test('a full registry is told once for each address', async () => {
  const at = new Discovering();
  for (let i = 0; i < 64; i++) at.registry.add(`b${i}`);
  await at.begin([engine(11434)]);
  await at.clock.pass(intervalMs * 3);
  assert.equal(at.warnings.length, 1);
  assert.match(at.warnings[0] ?? '', /11434 was found and not added: .*64 backends/);
});

test('a scan that fails is told, and the next one comes all the same', async () => {
  const at = await new Discovering().begin();
  const failing = new Discovering();
  let scans = 0;
  const loop = new DiscoveryLoop({
    fleet: at.fleet,
    clock: failing.clock,
    scan: () => {
      scans += 1;
      return Promise.reject(new Error('no sockets'));
    },
    isOwn: () => false,
    settings: { intervalMs, graceMs, autoApprove: false },
    sync: () => undefined,
    probeNow: async () => undefined,
    log: { info: () => undefined, warn: (_facts, words) => failing.warnings.push(words) },
  });
  assert.deepEqual(await loop.start(), []);
  await failing.clock.pass(intervalMs);
  assert.equal(scans, 2);
  assert.equal(failing.warnings.length, 2);
  await loop.stop();
});

test('without an interval there is one scan, and after a stop nothing waits', async () => {
  const at = await new Discovering({ intervalMs: 0 }).begin();
  assert.equal(at.clock.waiting, 1, 'the sweep');
  await at.loop.stop();
  assert.equal(at.clock.waiting, 0);
  const other = await new Discovering().begin();
  await other.clock.pass(intervalMs * 2);
  await other.loop.stop();
  assert.equal(other.clock.waiting, 0);
});
