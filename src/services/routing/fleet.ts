// The owner of the backend registry on the control thread: the single writer. Every change gets the
// next version, goes into the arena where it is a figure, and to the gateway threads as a delta.
//
// What an operator does is written to the database before it is acted on. What protects traffic
// (a probe that fails) acts first.

import { assert } from '../../base/assert.ts';
import { type BackendType, isCloudType } from '../../base/backend-type.ts';
import type { BackendId } from '../../base/brand.ts';
import type { Instant } from '../../base/time.ts';
import type { Backend, DiscoverySource, Model, PrivacyZone } from '../../core/backends/backend.ts';
import type { EngineLoad } from '../../core/backends/engine-load.ts';
import type { ProbeFacts, ProbeOutcome } from '../../core/backends/health.ts';
import { loadedModelsOf } from '../../core/backends/model-runtime.ts';
import type { LifecycleOperation, ModelClosure } from '../../core/backends/operation.ts';
import { type BackendFacts, BackendRegistry, RegistryError } from '../../core/backends/registry.ts';
import { uniqueSlug } from '../../core/backends/slug.ts';
import type { Target } from '../../core/routing/snapshot.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import type { Arena, ArenaCounters, ArenaHandle } from '../../io/shared-memory/arena.ts';
import type { ProbeRegistry } from './ports.ts';

/** How a backend comes into the registry. */
export type NewBackend = {
  readonly name: string;
  readonly url: string;
  readonly type: BackendType;
  readonly source: DiscoverySource;
  readonly priority: number;
  readonly zone: PrivacyZone | undefined;
  readonly tier: number;
  readonly capacity: number;
  readonly apiKeyEnv: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly approved: boolean;
  readonly draining: boolean;
  readonly simulated: boolean;
  readonly models: readonly Model[];
};

export type FleetDelta = {
  readonly version: number;
  readonly upsert: readonly Target[];
  readonly remove: readonly string[];
};

export type StatusMoved = { readonly before: Backend; readonly after: Backend };

export type FleetEvents = {
  /** A change for the gateway threads. */
  readonly onDelta: (delta: FleetDelta) => void;
  /** A status moved: for the log, the live socket and the audit. */
  readonly onStatus: (moved: StatusMoved) => void;
  /** A probe of an approved backend ended; a good one reached it. */
  readonly onProbe?: (isGood: boolean) => void;
  /** What a backend lists has changed. */
  readonly onModels?: (moved: StatusMoved) => void;
  /** The model index was found wrong and was made anew: a bug of ours. */
  readonly onRebuilt?: (faults: readonly string[]) => void;
};

/** What was found by itself gives way to a configured or added backend at the same address. */
function isSameList(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((text, i) => text === b[i]);
}

function givesWay(found: Backend, to: DiscoverySource): boolean {
  return found.discoverySource === 'mdns' && to !== 'mdns';
}

type Retired = { readonly slot: number; readonly version: number; readonly sinceMs: number };

/** A freed slot is used again at the latest after this, ms. */
const quarantineMaxMs = 600_000;

const emptyCounters: ArenaCounters = {
  pendingRequests: 0,
  totalRequests: 0,
  avgLatencyMs: 0,
  latencySamples: 0,
  firstByteMs: 0,
  firstByteSamples: 0,
};

export type FleetSettings = {
  /** Do two base URLs lead to one listener? By default when their texts are equal. */
  readonly sameEndpoint?: (a: string, b: string) => boolean;
  /** A reading of an engine's load older than this counts as missing, ms. */
  readonly loadMaxAgeMs?: number;
};

export class Fleet implements ProbeRegistry {
  readonly #registry: BackendRegistry;
  readonly #sameEndpoint: NonNullable<FleetSettings['sameEndpoint']>;
  readonly loadMaxAgeMs: number;
  readonly #arena: Arena;
  readonly #handles = new Map<BackendId, ArenaHandle>();
  readonly #free: number[] = [];
  readonly #retired: Retired[] = [];
  readonly #events: FleetEvents;
  readonly #now: () => Instant;
  readonly #applied = new Map<number, number>();
  #nextSlot = 0;
  #version = 0;

  constructor(arena: Arena, events: FleetEvents, now: () => Instant, settings: FleetSettings = {}) {
    this.#registry = new BackendRegistry(events.onRebuilt);
    this.#sameEndpoint = settings.sameEndpoint ?? ((a, b) => a === b);
    this.loadMaxAgeMs = settings.loadMaxAgeMs ?? 15_000;
    this.#arena = arena;
    this.#events = events;
    this.#now = now;
  }

  get version(): number {
    return this.#version;
  }

  get modelCount(): number {
    return this.#registry.modelCount;
  }

  /** What gateway thread `thread` has applied. */
  acknowledged(thread: number, version: number): void {
    this.#applied.set(thread, version);
  }

  threadGone(thread: number): void {
    this.#applied.delete(thread);
  }

  // ---- reading -----------------------------------------------------------------------------

  listBackends(): readonly Backend[] {
    return this.#registry.all();
  }

  /** Those that are healthy: neither unknown nor draining ones. */
  listHealthy(): readonly Backend[] {
    return this.#registry.healthy();
  }

  getBackend(id: BackendId): Backend | undefined {
    return this.#registry.get(id);
  }

  /** Whoever listens at that address, under whatever name of it. */
  byUrl(url: string): Backend | undefined {
    return (
      this.#registry.byUrl(url) ??
      this.#registry.all().find((backend) => this.#sameEndpoint(backend.url, url))
    );
  }

  /** All statuses, frozen; empty for an unknown model. */
  forModel(modelId: string): readonly Backend[] {
    return this.#registry.forModel(modelId);
  }

  findByMdnsInstance(instance: string): BackendId | undefined {
    return this.#registry.findByMdnsInstance(instance);
  }

  /** Where its counters are. Throws `backend_not_found`. */
  handleOf(id: string): ArenaHandle {
    const handle = this.#handles.get(this.require(id).id);
    assert(handle !== undefined, `backend ${id} has no slot`);
    return handle;
  }

  /** Faults of the model index; empty when it is what the backends say. */
  verifyIndex(): readonly string[] {
    return this.#registry.verifyIndex();
  }

  /** Throws `backend_not_found`. */
  require(id: string): Backend {
    const backend = this.#registry.get(id);
    if (backend === undefined) throw new RegistryError('backend_not_found', id);
    return backend;
  }

  counters(id: BackendId): ArenaCounters {
    const handle = this.#handles.get(id);
    return (handle === undefined ? undefined : this.#arena.read(handle)) ?? emptyCounters;
  }

  targets(): readonly Target[] {
    return this.#registry.all().map((backend) => this.#target(backend));
  }

  // ---- writing -----------------------------------------------------------------------------

  /** The id that a backend of this name and address gets. Throws `duplicate_backend`. */
  idFor(name: string, url: string): BackendId {
    const digest = nodeCrypto.sha256Hex(url);
    const slug = uniqueSlug(name, digest, (taken) => this.#registry.get(taken) !== undefined);
    if (slug === undefined) {
      throw new TensorForgeError('duplicate_backend', `backend already exists: ${name} at ${url}`);
    }
    return slug as BackendId;
  }

  /** The record that a new backend begins with. */
  compose(id: BackendId, facts: NewBackend): Backend {
    const now = this.#now();
    return {
      id,
      name: facts.name,
      url: facts.url,
      backendType: facts.type,
      status: facts.draining ? 'draining' : 'unknown',
      statusReason: facts.approved ? undefined : 'pending_approval',
      statusSince: now,
      lastHealthCheck: now,
      lastError: undefined,
      models: facts.models,
      runtime: [],
      closures: [],
      load: undefined,
      currentOperation: undefined,
      priority: facts.priority,
      discoverySource: facts.source,
      metadata: facts.metadata,
      zone: facts.zone ?? (isCloudType(facts.type) ? 'open' : 'restricted'),
      tier: facts.tier,
      capacity: facts.capacity,
      approved: facts.approved,
      simulated: facts.simulated,
      apiKeyEnv: facts.apiKeyEnv,
    };
  }

  /**
   * Throws `duplicate_backend` when id or address is taken, `registry_full` without a free slot. What
   * was found by itself gives way to what somebody names.
   */
  insert(record: Backend): Backend {
    const { id, url } = record;
    const twin = this.byUrl(url);
    const gives = twin !== undefined && givesWay(twin, record.discoverySource);
    if (this.#registry.get(id) !== undefined && !(gives && twin.id === id)) {
      throw new RegistryError('duplicate_backend', id);
    }
    if (gives) this.remove(twin.id);
    else if (twin !== undefined) {
      const words = `backend already exists: ${twin.id} has the address ${url}`;
      throw new TensorForgeError('duplicate_backend', words);
    }
    const slot = this.#takeSlot();
    const backend = this.#registry.add(record);
    const handle = this.#arena.open(slot, backend.capacity);
    this.#arena.setStatus(handle, backend.status);
    this.#handles.set(id, handle);
    this.#publish([backend], []);
    return backend;
  }

  /** The last record and its last figures. */
  remove(id: string): { readonly backend: Backend; readonly counters: ArenaCounters } {
    const backend = this.require(id);
    const handle = this.#handles.get(backend.id);
    assert(handle !== undefined, `backend ${id} has no slot`);
    const counters = this.counters(backend.id);
    this.#registry.remove(backend.id);
    this.#handles.delete(backend.id);
    this.#arena.close(handle);
    this.#publish([], [backend.id]);
    this.#retired.push({ slot: handle.slot, version: this.#version, sinceMs: this.#now() });
    return { backend, counters };
  }

  /** An operator drains or resumes; resuming starts from unknown. */
  setDraining(id: string, draining: boolean): Backend {
    const before = this.require(id);
    return this.#moved(before, {
      status: draining ? 'draining' : 'unknown',
      reason: before.approved ? undefined : 'pending_approval',
      error: undefined,
    });
  }

  approve(id: string, zone: PrivacyZone): Backend {
    const before = this.require(id);
    this.#registry.updateFacts(before.id, { approved: true, zone });
    return this.#moved(before, { status: 'unknown', reason: undefined, error: undefined });
  }

  edit(id: string, facts: BackendFacts): Backend {
    const before = this.require(id);
    const after = this.#registry.updateFacts(before.id, facts);
    const handle = this.#handles.get(before.id);
    if (handle !== undefined) this.#arena.setCapacity(handle, after.capacity);
    this.#publish([after], []);
    return after;
  }

  setLoad(id: BackendId, load: EngineLoad | undefined): void {
    const handle = this.#handles.get(id);
    if (handle === undefined) return;
    this.#registry.updateFacts(id, { load: load ?? this.require(id).load });
    this.#arena.setEngineLoad(handle, load);
  }

  setOperation(id: BackendId, operation: LifecycleOperation | undefined): Backend {
    return this.#registry.updateOperation(id, operation);
  }

  /** Models that take no requests; the threads know it before this backend is asked for them again. */
  setClosures(id: BackendId, closures: readonly ModelClosure[]): Backend {
    const after = this.#registry.updateFacts(id, { closures: Object.freeze([...closures]) });
    this.#publish([after], []);
    return after;
  }

  addModel(id: BackendId, model: Model): Backend {
    return this.#relisted(this.require(id), this.#registry.addModel(id, model));
  }

  removeModel(id: BackendId, modelId: string): Backend {
    return this.#relisted(this.require(id), this.#registry.removeModel(id, modelId));
  }

  #relisted(before: Backend, after: Backend): Backend {
    if (before.models === after.models) return after;
    this.#publish([after], []);
    this.#events.onModels?.({ before, after });
    return after;
  }

  setMdnsInstance(id: BackendId, instance: string): Backend {
    return this.#registry.setMdnsInstance(id, instance);
  }

  /** What announced it has gone: nobody knows its state until a probe tells. */
  lost(id: BackendId, words: string): Backend {
    const before = this.require(id);
    if (before.status === 'draining') return before;
    const reason = before.approved ? undefined : 'pending_approval';
    return this.#moved(before, { status: 'unknown', reason, error: words });
  }

  applyProbe(id: BackendId, outcome: ProbeOutcome, at: Instant): void {
    const before = this.#registry.get(id);
    const handle = this.#handles.get(id);
    if (before === undefined || handle === undefined) return;
    const { facts } = outcome;
    if (before.approved) this.#events.onProbe?.(facts !== undefined);
    if (facts !== undefined) {
      this.#arena.recordProbeLatency(handle, facts.latencyMs);
      if (facts.models !== undefined) this.#registry.updateModels(id, facts.models);
      this.#learn(before, handle, facts);
    }
    const after = this.#registry.updateStatus(id, {
      status: outcome.status,
      reason: outcome.statusReason,
      error: outcome.lastError,
      now: at,
    });
    this.#arena.setStatus(handle, after.status);
    const moved = before.status !== after.status || before.statusReason !== after.statusReason;
    const isRenewed =
      before.models !== after.models ||
      before.capacity !== after.capacity ||
      !isSameList(loadedModelsOf(before.runtime), loadedModelsOf(after.runtime));
    if (moved || isRenewed) {
      this.#publish([after], []);
    }
    if (before.models !== after.models) this.#events.onModels?.({ before, after });
    if (moved) this.#events.onStatus({ before, after });
  }

  /** What a probe told besides its models; an operator's own capacity stands. */
  #learn(before: Backend, handle: ArenaHandle, facts: ProbeFacts): void {
    const { metadata } = facts;
    const told = facts.capacity ?? 0;
    const keepsOwn = before.capacity > 0 && before.metadata['capacity_source'] !== 'probe';
    const learned = told > 0 && !keepsOwn;
    const merged = {
      ...before.metadata,
      ...metadata,
      ...(learned ? { capacity_source: 'probe' } : {}),
    };
    const next = learned ? told : before.capacity;
    this.#registry.updateFacts(before.id, {
      metadata: Object.freeze(merged),
      capacity: next,
      runtime: facts.runtime ?? before.runtime,
    });
    this.#arena.setCapacity(handle, next);
  }

  #moved(
    before: Backend,
    change: Pick<ProbeOutcome, 'status'> & {
      readonly reason: Backend['statusReason'];
      readonly error: string | undefined;
    },
  ): Backend {
    const after = this.#registry.updateStatus(before.id, { ...change, now: this.#now() });
    const handle = this.#handles.get(before.id);
    if (handle !== undefined) this.#arena.setStatus(handle, after.status);
    this.#publish([after], []);
    this.#events.onStatus({ before, after });
    return after;
  }

  #publish(upsert: readonly Backend[], remove: readonly string[]): void {
    this.#version++;
    this.#arena.setRegistryVersion(this.#version);
    this.#events.onDelta({
      version: this.#version,
      upsert: upsert.map((backend) => this.#target(backend)),
      remove,
    });
  }

  #target(backend: Backend): Target {
    const handle = this.#handles.get(backend.id);
    assert(handle !== undefined, `backend ${backend.id} has no slot`);
    return {
      id: backend.id,
      name: backend.name,
      url: backend.url,
      backendType: backend.backendType,
      status: backend.status,
      statusReason: backend.statusReason,
      approved: backend.approved,
      priority: backend.priority,
      zone: backend.zone,
      tier: backend.tier,
      slot: handle.slot,
      generation: handle.generation,
      models: backend.models,
      closures: backend.closures,
      apiKeyEnv: backend.apiKeyEnv,
      simulated: backend.simulated,
      loadedModels: loadedModelsOf(backend.runtime),
    };
  }

  #takeSlot(): number {
    this.#releaseRetired();
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const { capacity } = this.#arena.parts;
    if (this.#nextSlot >= capacity) {
      throw new TensorForgeError(
        'registry_full',
        `the registry holds ${capacity} backends, its limit`,
      );
    }
    return this.#nextSlot++;
  }

  #releaseRetired(): void {
    const oldest = Math.min(this.#version, ...this.#applied.values());
    const now = this.#now();
    for (let i = this.#retired.length - 1; i >= 0; i--) {
      const retired = this.#retired[i] as Retired;
      const settled = this.#arena.pendingOf(retired.slot) === 0;
      const isSafe = oldest >= retired.version && settled;
      if (!isSafe && now - retired.sinceMs < quarantineMaxMs) continue;
      this.#retired.splice(i, 1);
      this.#free.push(retired.slot);
    }
  }
}
