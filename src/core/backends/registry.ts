// The backend registry: who serves what, in which state. One writer, synchronous mutations, frozen
// records that readers may keep: writers replace a record, they never change one. Every mutation
// returns the record as it is now, so that the owner can tell the gateway threads and write the event;
// nothing here waits, looks at a clock or does I/O.
//
// Counters do not live here but in the shared arena; the owner keeps the handle beside the record.
//
//   R1  A refused mutation leaves records and indexes as they were.
//   R2  An address and an announced instance lead to at most one backend, which is registered.
//   R3  Lists that are given out are frozen and shared: the same one until something in it changes.

import type { BackendId } from '../../base/brand.ts';
import type { Instant } from '../../base/time.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import {
  type Backend,
  type BackendStatus,
  isSameModel,
  type Model,
  type StatusReason,
} from './backend.ts';
import { ModelIndex } from './model-index.ts';
import type { LifecycleOperation } from './operation.ts';

export class RegistryError extends TensorForgeError {
  override readonly name = 'RegistryError';
  readonly backendId: string;

  constructor(code: 'duplicate_backend' | 'backend_not_found', backendId: string) {
    const words = code === 'duplicate_backend' ? 'backend already exists' : 'backend not found';
    super(code, `${words}: ${backendId}`);
    this.backendId = backendId;
  }
}

export type StatusChange = {
  readonly status: BackendStatus;
  readonly reason?: StatusReason | undefined;
  readonly error?: string | undefined;
  readonly now: Instant;
};

/** Facts besides status and models; what they mean is the owner's to know. */
export type BackendFacts = Partial<
  Pick<
    Backend,
    | 'priority'
    | 'zone'
    | 'tier'
    | 'capacity'
    | 'approved'
    | 'metadata'
    | 'runtime'
    | 'closures'
    | 'load'
  >
>;

/** Metadata under which the full name of an announced instance stands. */
const instanceKey = 'mdns_instance';

function sameModels(a: readonly Model[], b: readonly Model[]): boolean {
  return (
    a.length === b.length &&
    a.every((model, i) => {
      const other = b[i];
      return other !== undefined && isSameModel(model, other);
    })
  );
}

/** One entry per model id, the last definition wins, deep-frozen. */
function distinctModels(models: readonly Model[]): readonly Model[] {
  const byId = new Map<string, Model>();
  for (const model of models) byId.set(model.id, Object.freeze({ ...model }));
  return Object.freeze([...byId.values()]);
}

function frozen(backend: Backend): Backend {
  return Object.freeze({
    ...backend,
    models: distinctModels(backend.models),
    metadata: Object.freeze({ ...backend.metadata }),
  });
}

function urlKey(url: string): string {
  return url.replace(/\/+$/, '');
}

export class BackendRegistry {
  readonly #backends = new Map<BackendId, Backend>();
  readonly #byUrl = new Map<string, BackendId>();
  readonly #byInstance = new Map<string, BackendId>();
  readonly #index = new ModelIndex();
  readonly #onRebuilt: (faults: readonly string[]) => void;
  #all: readonly Backend[] | undefined;

  /** `onRebuilt` hears the faults for which the model index had to be made anew: a bug of ours. */
  constructor(onRebuilt: (faults: readonly string[]) => void = () => undefined) {
    this.#onRebuilt = onRebuilt;
  }

  /** Throws {@link RegistryError} `duplicate_backend` and changes nothing when the id is taken. */
  add(backend: Backend): Backend {
    if (this.#backends.has(backend.id)) throw new RegistryError('duplicate_backend', backend.id);
    const record = frozen(backend);
    this.#backends.set(record.id, record);
    this.#all = undefined;
    this.#byUrl.set(urlKey(record.url), record.id);
    this.#nameInstance(record);
    this.#index.add(record.id, record.models);
    return record;
  }

  /** The last record. Throws {@link RegistryError} `backend_not_found`. */
  remove(id: BackendId): Backend {
    const record = this.#require(id);
    this.#backends.delete(id);
    this.#all = undefined;
    if (this.#byUrl.get(urlKey(record.url)) === id) this.#byUrl.delete(urlKey(record.url));
    this.#forgetInstance(record);
    this.#index.remove(id, record.models);
    return record;
  }

  get(id: string): Backend | undefined {
    return this.#backends.get(id as BackendId);
  }

  /** In the order of insertion. */
  all(): readonly Backend[] {
    this.#all ??= Object.freeze([...this.#backends.values()]);
    return this.#all;
  }

  healthy(): readonly Backend[] {
    return this.all().filter((backend) => backend.status === 'healthy');
  }

  /** All statuses; empty for an unknown model. */
  forModel(modelId: string): readonly Backend[] {
    const listed = this.#index.recordsOf(modelId, this.#backends);
    if (listed !== undefined) return listed;
    // Somebody is listed who is not registered: the index is not what it should be.
    this.#onRebuilt(this.verifyIndex());
    this.rebuildIndex();
    return this.#index.recordsOf(modelId, this.#backends) ?? [];
  }

  modelIds(): readonly string[] {
    return this.#index.modelIds();
  }

  get backendCount(): number {
    return this.#backends.size;
  }

  /** Distinct model ids over all backends, unhealthy ones too. */
  get modelCount(): number {
    return this.#index.modelCount;
  }

  /** Compares after stripping trailing slashes only. */
  byUrl(url: string): Backend | undefined {
    const id = this.#byUrl.get(urlKey(url));
    return id === undefined ? undefined : this.#backends.get(id);
  }

  findByMdnsInstance(instance: string): BackendId | undefined {
    return this.#byInstance.get(instance);
  }

  /** Throws {@link RegistryError} `backend_not_found`. */
  updateStatus(id: BackendId, change: StatusChange): Backend {
    const before = this.#require(id);
    const moved = before.status !== change.status || before.statusReason !== change.reason;
    return this.#replace({
      ...before,
      status: change.status,
      statusReason: change.reason,
      statusSince: moved ? change.now : before.statusSince,
      lastHealthCheck: change.now,
      lastError: change.status === 'healthy' ? undefined : change.error,
    });
  }

  /** Replaces the whole list; the same record comes back when nothing differs. */
  updateModels(id: BackendId, models: readonly Model[]): Backend {
    const before = this.#require(id);
    const next = distinctModels(models);
    if (sameModels(before.models, next)) return before;
    const kept = new Set(next.map((model) => model.id));
    this.#index.remove(
      id,
      before.models.filter((model) => !kept.has(model.id)),
    );
    this.#index.add(id, next);
    return this.#replace({ ...before, models: next });
  }

  /** The same record comes back when a model of that id is there. */
  addModel(id: BackendId, model: Model): Backend {
    const before = this.#require(id);
    if (before.models.some((known) => known.id === model.id)) return before;
    return this.updateModels(id, [...before.models, model]);
  }

  /** The same record comes back when no model of that id is there. */
  removeModel(id: BackendId, modelId: string): Backend {
    const { models } = this.#require(id);
    return this.updateModels(
      id,
      models.filter((model) => model.id !== modelId),
    );
  }

  updateFacts(id: BackendId, facts: BackendFacts): Backend {
    const before = this.#require(id);
    const after = this.#replace({ ...before, ...facts });
    if (facts.metadata !== undefined) {
      this.#forgetInstance(before);
      this.#nameInstance(after);
    }
    return after;
  }

  updateOperation(id: BackendId, operation: LifecycleOperation | undefined): Backend {
    return this.#replace({ ...this.#require(id), currentOperation: operation });
  }

  /** Throws {@link RegistryError} `backend_not_found`. */
  getOperation(id: BackendId): LifecycleOperation | undefined {
    return this.#require(id).currentOperation;
  }

  setMdnsInstance(id: BackendId, instance: string): Backend {
    const { metadata } = this.#require(id);
    return this.updateFacts(id, {
      metadata: Object.freeze({ ...metadata, [instanceKey]: instance }),
    });
  }

  /** Empty when the index equals what the backends say. */
  verifyIndex(): string[] {
    return this.#index.faults(this.#backends);
  }

  /** Makes the model index anew from the records. */
  rebuildIndex(): void {
    this.#index.clear();
    for (const backend of this.#backends.values()) this.#index.add(backend.id, backend.models);
  }

  #nameInstance(record: Backend): void {
    const instance = record.metadata[instanceKey];
    if (instance !== undefined) this.#byInstance.set(instance, record.id);
  }

  #forgetInstance(record: Backend): void {
    const instance = record.metadata[instanceKey];
    if (instance !== undefined && this.#byInstance.get(instance) === record.id) {
      this.#byInstance.delete(instance);
    }
  }

  #replace(backend: Backend): Backend {
    const record = Object.freeze(backend);
    this.#backends.set(record.id, record);
    this.#all = undefined;
    this.#index.recordChanged(record.models);
    return record;
  }

  #require(id: BackendId): Backend {
    const record = this.#backends.get(id);
    if (record === undefined) throw new RegistryError('backend_not_found', id);
    return record;
  }
}
