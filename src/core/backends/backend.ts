// A backend is one model server at one URL; a model is what it offers under one id.
// Records are frozen and shared, never cloned: writers replace them (specification BR 2.4).

import type { BackendType } from '../../base/backend-type.ts';
import type { BackendId } from '../../base/brand.ts';
import type { Instant } from '../../base/time.ts';
import type { EngineLoad } from './engine-load.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type { LifecycleOperation, ModelClosure } from './operation.ts';

export const backendStatuses = ['healthy', 'unhealthy', 'unknown', 'draining'] as const;
export type BackendStatus = (typeof backendStatuses)[number];

/** Why a backend has its status; empty text when there is nothing to add. */
export const statusReasons = [
  'busy',
  'warming',
  'config_error',
  'rate_limited',
  'pending_approval',
] as const;
export type StatusReason = (typeof statusReasons)[number];

export const discoverySources = ['static', 'mdns', 'manual'] as const;
export type DiscoverySource = (typeof discoverySources)[number];

export type PrivacyZone = 'restricted' | 'open';

/** What one backend offers under one id. Exactly these seven members go over the wire. */
export type Model = {
  readonly id: string;
  readonly name: string;
  /** Tokens, prompt and output together. */
  readonly contextLength: number;
  readonly supportsVision: boolean;
  readonly supportsTools: boolean;
  readonly supportsJsonMode: boolean;
  /** Tokens; undefined when the backend does not say. */
  readonly maxOutputTokens: number | undefined;
};

/** Do both say the same of the same model? */
export function isSameModel(a: Model, b: Model): boolean {
  return (
    a.id === b.id &&
    a.name === b.name &&
    a.contextLength === b.contextLength &&
    a.supportsVision === b.supportsVision &&
    a.supportsTools === b.supportsTools &&
    a.supportsJsonMode === b.supportsJsonMode &&
    a.maxOutputTokens === b.maxOutputTokens
  );
}

export type Backend = {
  /** Slug of the name. */
  readonly id: BackendId;
  readonly name: string;
  /** Server root without a trailing slash and without `/v1`. */
  readonly url: string;
  readonly backendType: BackendType;
  readonly status: BackendStatus;
  readonly statusReason: StatusReason | undefined;
  /** When the present status began. */
  readonly statusSince: Instant;
  readonly lastHealthCheck: Instant;
  /** A class of failure from a fixed list of words; never the peer's own text. */
  readonly lastError: string | undefined;
  readonly models: readonly Model[];
  /** What the engine tells of its models besides; at most one entry for each model id. */
  readonly runtime: readonly ModelRuntime[];
  /** Models that take no requests for the time of an operation. */
  readonly closures: readonly ModelClosure[];
  /** The last reading of its metrics, however old. */
  readonly load: EngineLoad | undefined;
  /** The operation that runs on it now. */
  readonly currentOperation: LifecycleOperation | undefined;
  /** Lower is preferred. Configured backends default to 50. */
  readonly priority: number;
  readonly discoverySource: DiscoverySource;
  readonly metadata: Readonly<Record<string, string>>;
  readonly zone: PrivacyZone;
  /** Capability tier 1 to 5, higher is better. */
  readonly tier: number;
  /** Concurrent requests it can work on; 0 means not known. */
  readonly capacity: number;
  /** A discovered backend that nobody approved yet takes no traffic. */
  readonly approved: boolean;
  /** Started by us with simulated engines. */
  readonly simulated: boolean;
  /** Name of the environment variable with its credential. */
  readonly apiKeyEnv: string | undefined;
};
