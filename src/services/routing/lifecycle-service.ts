// Operations on the models of backends as operators ask for them: examined one check after the other,
// refused with nothing changed, or begun. Seeing them through is the runner's.

import type { BackendId } from '../../base/brand.ts';
import type { Backend } from '../../core/backends/backend.ts';
import { type AskedOperation, admitOperation } from '../../core/backends/lifecycle.ts';
import type { LifecycleOperation, OperationType } from '../../core/backends/operation.ts';
import { freeBytes } from '../../core/backends/vram-check.ts';
import { refusalOf, TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { OperationQuery } from '../../io/postgres/operation-store.ts';
import {
  requireAbility,
  requireIdle,
  requireLook,
  requireMemory,
  requireWeights,
  type ShownState,
} from './lifecycle-checks.ts';
import type { LifecyclePorts } from './lifecycle-ports.ts';
import { operationOf } from './lifecycle-record.ts';
import { LifecycleRunner, type NamedOperation } from './lifecycle-runner.ts';

/** A caller of an unload waits so long for its end; below the patience of the command line, ms. */
const unloadPatienceMs = 50_000;

export type Unloaded = {
  readonly operation: LifecycleOperation;
  /** Bytes; undefined where the engine does not tell. */
  readonly freeBytes: number | undefined;
};

export class LifecycleService {
  readonly #ports: LifecyclePorts;
  readonly #runner: LifecycleRunner;

  constructor(ports: LifecyclePorts) {
    this.#ports = ports;
    this.#runner = new LifecycleRunner(ports);
  }

  /** Takes up what had not ended. The backends are in the fleet, and no request is served yet. */
  start(): Promise<void> {
    return this.#runner.start();
  }

  /** Lets go of all engines. What runs stays in progress for the next start. */
  stop(): Promise<void> {
    return this.#runner.stop();
  }

  /** Newest first. */
  async list(query: OperationQuery): Promise<readonly LifecycleOperation[]> {
    const rows = await this.#ports.store.list(query);
    return rows.map((row) => this.#runner.openOperation(row.operationId) ?? operationOf(row));
  }

  get(operationId: string): Promise<LifecycleOperation | undefined> {
    return this.#runner.get(operationId);
  }

  /**
   * Begins to load a model; with `download` it is fetched first where the backend does not have it.
   * Throws `backend_not_found`, `operation_in_progress`, `not_implemented`, `bad_gateway`,
   * `insufficient_memory`, `model_not_found`, in this order, and has then changed nothing.
   */
  async load(
    request: { readonly modelId: string; readonly backendId: string; readonly download: boolean },
    actor: string,
  ): Promise<LifecycleOperation> {
    const backend = this.#backend(request.backendId);
    const asked = this.#ask('load', request.modelId, backend);
    return this.#examine('op-', asked, async (load) => {
      const state = await this.#look(backend);
      requireMemory(this.#ports, backend, load.modelId, state);
      if (!request.download) requireWeights(backend, load.modelId, state);
      if (state.known.has(load.modelId)) return this.#runner.begin(load, undefined, actor);
      requireAbility(backend, 'download');
      const operationId = this.#newId('op-');
      return this.#runner.begin(load, { ...load, operationType: 'download', operationId }, actor);
    });
  }

  /**
   * Unloads a model and resolves when that is done, or after 50 s while it still waits for requests.
   * Throws as `load`, `model_not_loaded`, and without `drain` `backend_busy` while requests run.
   */
  async unload(
    request: { readonly modelId: string; readonly backendId: string; readonly drain: boolean },
    actor: string,
  ): Promise<Unloaded> {
    const backend = this.#backend(request.backendId);
    const asked = this.#ask('unload', request.modelId, backend);
    const { operationId } = await this.#examine('op-unload-', asked, async (named) => {
      const state = await this.#look(backend);
      if (!state.loaded.has(asked.modelId)) {
        const words = `${asked.modelId} is not loaded on ${backend.id}.`;
        throw new TensorForgeError('model_not_loaded', words);
      }
      if (!request.drain) await requireIdle(this.#ports, backend, asked.modelId);
      return this.#runner.begin(named, undefined, actor);
    });
    return this.#unloaded(operationId, backend);
  }

  /**
   * Begins to load a model of one backend on another one as well; the first goes on serving it and is
   * unloaded by an operator. Throws as `load`, and `invalid_request` for one backend twice.
   */
  async migrate(
    request: {
      readonly modelId: string;
      readonly sourceBackendId: string;
      readonly targetBackendId: string;
    },
    actor: string,
  ): Promise<LifecycleOperation> {
    const source = this.#backend(request.sourceBackendId);
    const target = this.#backend(request.targetBackendId);
    if (source.id === target.id) {
      const words = 'target_backend_id is the source as well; name another backend.';
      throw new TensorForgeError('invalid_request', words, { param: 'target_backend_id' });
    }
    const asked = this.#ask('migrate', request.modelId, target, source.id);
    return this.#examine('op-migrate-', asked, async (named) => {
      if (!source.models.some(({ id }) => id === asked.modelId)) {
        const words = `${source.id} does not offer ${asked.modelId}, so it cannot be moved from there.`;
        throw new TensorForgeError('model_not_loaded', words);
      }
      const state = await this.#look(target);
      requireMemory(this.#ports, target, asked.modelId, state);
      requireWeights(target, asked.modelId, state);
      return this.#runner.begin(named, undefined, actor);
    });
  }

  // ---- examining ---------------------------------------------------------------------------

  #newId(prefix: string): string {
    return prefix + this.#ports.newId();
  }

  #look(backend: Backend): Promise<ShownState> {
    return requireLook(this.#ports, backend, this.#runner.signal);
  }

  #backend(id: string): Backend {
    const backend = this.#ports.fleet.getBackend(id as BackendId);
    if (backend !== undefined) return backend;
    throw new TensorForgeError('backend_not_found', `backend not found: ${id.slice(0, 100)}`);
  }

  #ask(
    operationType: OperationType,
    modelId: string,
    target: Backend,
    sourceBackendId?: BackendId,
  ): AskedOperation {
    return {
      operationType,
      modelId: this.#ports.control.fullName(target, modelId),
      sourceBackendId,
      targetBackendId: target.id,
    };
  }

  /** Refuses what another operation is in the way of, then what the engine cannot do. */
  #examine<T>(
    prefix: string,
    asked: AskedOperation,
    decide: (named: NamedOperation) => Promise<T>,
  ): Promise<T> {
    const admitted = admitOperation(this.#runner.busy(), asked);
    if (!admitted.ok) throw TensorForgeError.of(refusalOf('operation_in_progress', admitted.error));
    requireAbility(this.#backend(asked.targetBackendId), asked.operationType);
    const named = { ...asked, operationId: this.#newId(prefix) };
    return this.#runner.examine(named, () => decide(named));
  }

  async #unloaded(operationId: string, backend: Backend): Promise<Unloaded> {
    await this.#runner.settled(operationId, unloadPatienceMs);
    const operation = await this.get(operationId);
    if (operation === undefined || operation.status === 'failed') {
      const words = `${backend.id}: ${operation?.errorDetails ?? 'the operation is gone'}.`;
      throw new TensorForgeError('bad_gateway', words);
    }
    if (operation.status !== 'completed') return { operation, freeBytes: undefined };
    const state = await this.#ports.control.look(backend, this.#runner.signal);
    return { operation, freeBytes: state.kind === 'shown' ? freeBytes(state.memory) : undefined };
  }
}
