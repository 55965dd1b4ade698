// A world for tests of operations on models: time in the test's hands, a fleet and a database in memory,
// and an engine that does what it is told when the test says so.

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { BackendId } from '../../base/brand.ts';
import { compareText } from '../../base/compare.ts';
import { type Instant, instant } from '../../base/time.ts';
import type { Backend, Model } from '../../core/backends/backend.ts';
import { modelFrom } from '../../core/backends/heuristics.ts';
import { isEnded } from '../../core/backends/lifecycle.ts';
import type { LifecycleOperation, ModelClosure } from '../../core/backends/operation.ts';
import type { EventToAppend } from '../../io/postgres/control-events.ts';
import type { OperationStore, StoredOperation } from '../../io/postgres/operation-store.ts';
import type { LifecycleFleet, LifecyclePorts } from './lifecycle-ports.ts';
import type { EngineOutcome, EngineState } from './model-control/engine-control.ts';
import type { EngineCall, ModelControl } from './model-control/model-control.ts';
import type { Clock } from './ports.ts';

/** Virtual time: callbacks run when the test moves the clock. */
export class TestClock implements Clock {
  #nowMs = 0;
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

  /** Lets everything that can happen now happen. */
  async settle(): Promise<void> {
    for (let i = 0; i < 10; i++) await turn();
  }

  /** Runs every timer up to `byMs` from now in order, letting promises settle between them. */
  async advance(byMs: number): Promise<void> {
    const until = this.#nowMs + byMs;
    await this.settle();
    for (;;) {
      const next = [...this.timers].sort(([, a], [, b]) => a.at - b.at)[0];
      if (next === undefined || next[1].at > until) break;
      this.timers.delete(next[0]);
      this.#nowMs = Math.max(this.#nowMs, next[1].at);
      next[1].callback();
      await this.settle();
    }
    this.#nowMs = until;
  }
}

export function backendFixture(id: string, over: Partial<Backend> = {}): Backend {
  return {
    id: id as BackendId,
    name: id,
    url: `http://${id}`,
    backendType: 'ollama',
    status: 'healthy',
    statusReason: undefined,
    statusSince: instant(0),
    lastHealthCheck: instant(0),
    lastError: undefined,
    models: [modelFrom('m:1', {}), modelFrom('other:1', {})],
    runtime: [],
    closures: [],
    load: undefined,
    currentOperation: undefined,
    priority: 50,
    discoverySource: 'manual',
    metadata: {},
    zone: 'restricted',
    tier: 1,
    capacity: 0,
    approved: true,
    simulated: false,
    apiKeyEnv: undefined,
    ...over,
  };
}

export class TestFleet implements LifecycleFleet {
  readonly backends = new Map<BackendId, Backend>();

  add(backend: Backend): void {
    this.backends.set(backend.id, backend);
  }

  getBackend(id: BackendId): Backend | undefined {
    return this.backends.get(id);
  }

  #change(id: BackendId, change: (before: Backend) => Partial<Backend>): Backend {
    const before = this.backends.get(id);
    assert.ok(before, `no backend ${id}`);
    const after = { ...before, ...change(before) };
    this.backends.set(id, after);
    return after;
  }

  setOperation(id: BackendId, currentOperation: LifecycleOperation | undefined): Backend {
    return this.#change(id, () => ({ currentOperation }));
  }

  setClosures(id: BackendId, closures: readonly ModelClosure[]): Backend {
    return this.#change(id, () => ({ closures }));
  }

  addModel(id: BackendId, model: Model): Backend {
    return this.#change(id, ({ models }) => ({ models: [...models, model] }));
  }
}

/** The table and the events; refuses writes while `isAway`. */
export class TestStore implements OperationStore {
  readonly rows = new Map<string, StoredOperation>();
  readonly events: EventToAppend[] = [];
  isAway = false;

  save(rows: readonly StoredOperation[], events: readonly EventToAppend[]): Promise<void> {
    if (this.isAway) return Promise.reject(new Error('the database is away'));
    for (const row of rows) this.rows.set(row.operationId, row);
    this.events.push(...events);
    return Promise.resolve();
  }

  loadOpen(): Promise<readonly StoredOperation[]> {
    const open = ({ status }: StoredOperation) => status === 'pending' || status === 'in_progress';
    return Promise.resolve([...this.rows.values()].filter(open));
  }

  list({ backend, limit }: Parameters<OperationStore['list']>[0]) {
    const rows = [...this.rows.values()]
      .filter((row) => backend === undefined || row.targetBackendId === backend)
      .sort((a, b) => compareText(b.operationId, a.operationId));
    return Promise.resolve(rows.slice(0, limit));
  }

  get(operationId: string): Promise<StoredOperation | undefined> {
    if (this.isAway) return Promise.reject(new Error('the database is away'));
    return Promise.resolve(this.rows.get(operationId));
  }

  prune(): Promise<number> {
    return Promise.resolve(0);
  }
}

type Asked = { readonly kind: 'load' | 'unload' | 'download'; readonly call: EngineCall };

/** One engine for all backends: what is loaded and known by backend, calls that the test answers. */
export class TestEngine implements ModelControl {
  readonly loaded = new Map<string, Set<string>>();
  readonly known = new Map<string, Set<string>>();
  readonly asked: Asked[] = [];
  readonly #answers: ((outcome: EngineOutcome) => void)[] = [];
  /** What a look shows instead, such as an engine that is away. */
  shown: EngineState | undefined;
  usedBytes: number | undefined = 0;
  onProgress: ((percent: number) => void) | undefined;

  fullName(_target: unknown, modelId: string): string {
    return modelId.includes(':') ? modelId : `${modelId}:latest`;
  }

  loadedOn(id: string): Set<string> {
    const there = this.loaded.get(id) ?? new Set<string>();
    this.loaded.set(id, there);
    return there;
  }

  look(target: { readonly id: string }): Promise<EngineState> {
    const known = this.known.get(target.id) ?? new Set(['m:1', 'other:1']);
    const memory = { usedBytes: this.usedBytes, totalBytes: undefined };
    const loaded = new Set(this.loadedOn(target.id));
    const state = { kind: 'shown', loaded, loading: new Set<string>(), known, memory } as const;
    return Promise.resolve(this.shown ?? state);
  }

  #ask(kind: Asked['kind'], call: EngineCall): Promise<EngineOutcome> {
    this.asked.push({ kind, call });
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  load(call: EngineCall): Promise<EngineOutcome> {
    return this.#ask('load', call);
  }

  unload(call: EngineCall): Promise<EngineOutcome> {
    return this.#ask('unload', call);
  }

  download(call: EngineCall, onProgress: (percent: number) => void): Promise<EngineOutcome> {
    this.onProgress = onProgress;
    return this.#ask('download', call);
  }

  /** Answers the oldest call that was not answered yet. */
  answer(outcome: EngineOutcome = { ok: true }): void {
    const next = this.#answers.shift();
    assert.ok(next, 'a call that waits for its answer');
    next(outcome);
  }

  get waiting(): number {
    return this.#answers.length;
  }
}

export type TestWorld = {
  readonly clock: TestClock;
  readonly fleet: TestFleet;
  readonly store: TestStore;
  readonly engine: TestEngine;
  readonly ports: LifecyclePorts;
  readonly warnings: string[];
  readonly refreshed: string[];
  inFlight: number;
};

export function testWorld(): TestWorld {
  const world = {
    clock: new TestClock(),
    fleet: new TestFleet(),
    store: new TestStore(),
    engine: new TestEngine(),
    warnings: [] as string[],
    refreshed: [] as string[],
    inFlight: 0,
  };
  let ids = 0;
  const { clock, fleet, store, engine } = world;
  for (const id of ['box-1', 'box-2']) fleet.add(backendFixture(id));
  const ports: LifecyclePorts = {
    fleet,
    store,
    control: engine,
    rules: { timeoutMs: 300_000, vramHeadroomPercent: 20, vramHeuristicMaxGb: 16 },
    clock: {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, callback) => clock.after(delayMs, callback),
    },
    newId: () => String(++ids),
    inFlight: () => Promise.resolve(world.inFlight),
    applied: () => Promise.resolve(),
    refresh: (id) => world.refreshed.push(id),
    onChange: (operation) =>
      assert.ok(isEnded(operation) === (operation.completedAt !== undefined)),
    onWarning: (words) => world.warnings.push(words),
    onWriteFailed: (error) => world.warnings.push(String(error)),
  };
  return Object.assign(world, { ports });
}
