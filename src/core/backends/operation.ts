// An operation on a model of a backend: load, unload, migrate or download (specification BR 1.5, 18).

import type { BackendId } from '../../base/brand.ts';
import type { Instant } from '../../base/time.ts';

export const operationTypes = ['load', 'unload', 'migrate', 'download'] as const;
export type OperationType = (typeof operationTypes)[number];

export const operationStatuses = ['pending', 'in_progress', 'completed', 'failed'] as const;
export type OperationStatus = (typeof operationStatuses)[number];

export type LifecycleOperation = {
  /** `op-...`; of an unload `op-unload-...`, of a migration `op-migrate-...`. */
  readonly operationId: string;
  readonly operationType: OperationType;
  readonly modelId: string;
  /** Where a migration comes from; undefined for the others. */
  readonly sourceBackendId: BackendId | undefined;
  readonly targetBackendId: BackendId;
  readonly status: OperationStatus;
  /** 0 to 100, whole. */
  readonly progressPercent: number;
  /** ms until it is expected to end; undefined when nothing tells. */
  readonly etaMs: number | undefined;
  readonly initiatedAt: Instant;
  readonly completedAt: Instant | undefined;
  /** Why it failed, in words of ours. */
  readonly errorDetails: string | undefined;
};

/** Why one model of a backend takes no requests while the rest of the backend does. */
export type ModelClosure = {
  readonly modelId: string;
  readonly reason: 'loading' | 'unloading';
};
