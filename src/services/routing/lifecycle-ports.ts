// What the life of operations on models needs from the rest of the installation.

import type { BackendId } from '../../base/brand.ts';
import type { Backend, Model } from '../../core/backends/backend.ts';
import type { LifecycleOperation, ModelClosure } from '../../core/backends/operation.ts';
import type { VramRules } from '../../core/backends/vram-check.ts';
import type { OperationStore } from '../../io/postgres/operation-store.ts';
import type { ModelControl } from './model-control/model-control.ts';
import type { Clock } from './ports.ts';

/** The fleet, as far as operations change it. */
export interface LifecycleFleet {
  getBackend(id: BackendId): Backend | undefined;
  setOperation(id: BackendId, operation: LifecycleOperation | undefined): Backend;
  /** Goes to the gateway threads. */
  setClosures(id: BackendId, closures: readonly ModelClosure[]): Backend;
  addModel(id: BackendId, model: Model): Backend;
}

export type LifecycleRules = VramRules & {
  /** Longest that an operation runs, and that a download makes no progress, ms. */
  readonly timeoutMs: number;
};

export type LifecyclePorts = {
  readonly fleet: LifecycleFleet;
  readonly store: OperationStore;
  readonly control: ModelControl;
  readonly rules: LifecycleRules;
  readonly clock: Clock;
  /** A new UUID. */
  readonly newId: () => string;
  /** Requests of the model that the backend works on, or more where that is not counted. */
  readonly inFlight: (id: BackendId, modelId: string) => Promise<number>;
  /** Resolves when the gateway threads act on what was changed before. */
  readonly applied: () => Promise<void>;
  /** Has the backend probed soon: its models are others now. */
  readonly refresh: (id: BackendId) => void;
  /** An operation began, moved on or ended. */
  readonly onChange: (operation: LifecycleOperation) => void;
  readonly onWarning: (words: string) => void;
  /** A write failed, and is tried again. */
  readonly onWriteFailed: (error: unknown) => void;
};
