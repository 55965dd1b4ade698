// The backend registry: who serves what, in which state. One writer, synchronous mutations, frozen
// records that readers may keep. Every mutation returns what changed, so that the owner can tell
// the gateway threads and write the event; nothing here waits, looks at a clock or does I/O.
//
// Counters do not live here but in the shared arena; the owner keeps the handle beside the record.

import type { BackendId } from '../../base/brand.ts';
import type { Instant } from '../../base/time.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { Backend, BackendStatus, Model, StatusReason } from './backend.ts';
import { ModelIndex } from './model-index.ts';

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

/** Facts that an operator may change on a registered backend. */
export type BackendFacts = Partial<
  Pick<Backend, 'priority' | 'zone' | 'tier' | 'capacity' | 'approved' | 'metadata'>
>;

function sameModels(a: readonly Model[], b: readonly Model[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((model, i) => {
    const other = b[i];
    return (
      other !== undefined &&
      model.id === other.id &&
      model.name === other.name &&
      model.contextLength === other.contextLength &&
      model.supportsVision === other.supportsVision &&
      model.supportsTools === other.supportsTools &&
      model.supportsJsonMode === other.supportsJsonMode &&
      model.maxOutputTokens === other.maxOutputTokens
    );
  });
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
  readonly #index = new ModelIndex();

  /** Throws {@link RegistryError} `duplicate_backend` and changes nothing when the id is taken. */
  add(backend: Backend): Backend {
    if (this.#backends.has(backend.id)) throw new RegistryError('duplicate_backend', backend.id);
    const record = frozen(backend);
    this.#backends.set(record.id, record);
    this.#byUrl.set(urlKey(record.url), record.id);
    this.#index.add(record.id, record.models);
    return record;
  }

  /** The last record. Throws {@link RegistryError} `backend_not_found`. */
  remove(id: BackendId): Backend {
    const record = this.#require(id);
    this.#backends.delete(id);
    if (this.#byUrl.get(urlKey(record.url)) === id) this.#byUrl.delete(urlKey(record.url));
    this.#index.remove(id, record.models);
    return record;
  }

  get(id: string): Backend | undefined {
    return this.#backends.get(id as BackendId);
  }

  /** In the order of insertion. */
  all(): readonly Backend[] {
    return [...this.#backends.values()];
  }

  healthy(): readonly Backend[] {
    return this.all().filter((backend) => backend.status === 'healthy');
  }

  /** All statuses; empty for an unknown model. */
  forModel(modelId: string): readonly Backend[] {
    return this.#index.backendsOf(modelId).map((id) => this.#require(id));
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

  updateFacts(id: BackendId, facts: BackendFacts): Backend {
    return this.#replace({ ...this.#require(id), ...facts });
  }

  /** Empty when the index equals what the backends say. */
  verifyIndex(): string[] {
    return this.#index.faults(this.#backends);
  }

  #replace(backend: Backend): Backend {
    const record = Object.freeze(backend);
    this.#backends.set(record.id, record);
    return record;
  }

  #require(id: BackendId): Backend {
    const record = this.#backends.get(id);
    if (record === undefined) throw new RegistryError('backend_not_found', id);
    return record;
  }
}
