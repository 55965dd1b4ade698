// A backend as people see it: the record, its figures, and in one sentence why it takes requests or
// why not. Metadata that looks like a credential is dropped.

import { elapsedWords } from '../../base/duration-words.ts';
import { elapsedMs, type Instant, toRfc3339 } from '../../base/time.ts';
import type { Backend } from '../../core/backends/backend.ts';
import { currentLoad, type EngineLoad } from '../../core/backends/engine-load.ts';
import type { LifecycleOperation } from '../../core/backends/operation.ts';
import type { ArenaCounters } from '../../io/shared-memory/arena.ts';
import type { OperationWire } from '../../protocol/control/fleet-schemas.ts';
import type { BackendViewWire } from '../../protocol/control/schemas.ts';

const secretName = /key|token|secret|authorization/i;

export function isRoutable(backend: Backend): boolean {
  return backend.approved && backend.status === 'healthy';
}

function reasonWords(backend: Backend): string {
  switch (backend.statusReason) {
    case 'busy':
      return 'every slot is taken';
    case 'warming':
      return 'a model is being loaded';
    case 'config_error':
      return `the backend refused its credential (${backend.lastError ?? 'configuration'})`;
    case 'rate_limited':
      return 'the backend asked for patience';
    case 'pending_approval':
      return `discovered, waits for: tensorforge backends approve ${backend.id}`;
    case undefined:
      return backend.lastError ?? 'no answer yet';
  }
}

/** One sentence, the same in dashboard, CLI and API. */
export function statusWords(backend: Backend, now: Instant): string {
  const since = elapsedWords(elapsedMs(backend.statusSince, now));
  if (!backend.approved) return `Takes no requests: ${reasonWords(backend)}.`;
  switch (backend.status) {
    case 'healthy':
      return `Takes requests, healthy for ${since}.`;
    case 'draining':
      return `Draining for ${since}: running requests finish, new ones avoid it. Undo: tensorforge backends resume ${backend.id}`;
    case 'unhealthy':
      return `Takes no requests for ${since}: ${reasonWords(backend)}.`;
    case 'unknown':
      return `Takes no requests yet: ${reasonWords(backend)}.`;
  }
}

function publicMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).filter(([name]) => name.endsWith('_env') || !secretName.test(name)),
  );
}

export function backendView(
  backend: Backend,
  counters: ArenaCounters,
  now: Instant,
  loadMaxAgeMs: number,
): BackendViewWire {
  return {
    id: backend.id,
    name: backend.name,
    url: backend.url,
    backend_type: backend.backendType,
    status: backend.status,
    status_reason: backend.statusReason ?? null,
    status_since: toRfc3339(backend.statusSince),
    status_words: statusWords(backend, now),
    routable: isRoutable(backend),
    last_health_check: toRfc3339(backend.lastHealthCheck),
    last_error: backend.lastError ?? null,
    models: backend.models.map((model) => ({
      id: model.id,
      name: model.name,
      context_length: model.contextLength,
      supports_vision: model.supportsVision,
      supports_tools: model.supportsTools,
      supports_json_mode: model.supportsJsonMode,
      max_output_tokens: model.maxOutputTokens ?? null,
    })),
    priority: backend.priority,
    pending_requests: counters.pendingRequests,
    total_requests: counters.totalRequests,
    avg_latency_ms: counters.avgLatencyMs,
    first_byte_ms: counters.firstByteSamples === 0 ? null : counters.firstByteMs,
    discovery_source: backend.discoverySource,
    metadata: publicMetadata(backend.metadata),
    zone: backend.zone,
    tier: backend.tier,
    capacity: backend.capacity,
    approved: backend.approved,
    simulated: backend.simulated,
    current_operation:
      backend.currentOperation === undefined ? null : operationView(backend.currentOperation),
    load: loadView(currentLoad(backend.load, now, loadMaxAgeMs)),
    loaded_models: loadedModels(backend),
    closed_models: backend.closures.map(({ modelId, reason }) => ({ id: modelId, reason })),
  };
}

export function operationView(operation: LifecycleOperation): OperationWire {
  return {
    operation_id: operation.operationId,
    operation_type: operation.operationType,
    model_id: operation.modelId,
    source_backend_id: operation.sourceBackendId ?? null,
    target_backend_id: operation.targetBackendId,
    status: operation.status,
    progress_percent: operation.progressPercent,
    eta_ms: operation.etaMs ?? null,
    initiated_at: toRfc3339(operation.initiatedAt),
    completed_at: operation.completedAt === undefined ? null : toRfc3339(operation.completedAt),
    error_details: operation.errorDetails ?? null,
  };
}

export function loadView(load: EngineLoad | undefined): BackendViewWire['load'] {
  if (load === undefined) return null;
  return {
    running: load.running ?? null,
    waiting: load.waiting ?? null,
    kv_use: load.kvUse ?? null,
    read_at: toRfc3339(load.readAt),
  };
}

/** Null when the engine does not tell of any model whether it is in memory. */
function loadedModels(backend: Backend): string[] | null {
  if (backend.runtime.every(({ loaded }) => loaded === undefined)) return null;
  return backend.runtime.flatMap(({ id, loaded }) => (loaded === true ? [id] : []));
}

/** First line of the Fleet page: how many take requests, and what is wrong with the worst. */
export function fleetSummary(backends: readonly Backend[], now: Instant): string {
  if (backends.length === 0) return 'No backends yet. Add one: tensorforge backends add URL';
  const routable = backends.filter(isRoutable).length;
  const head = `${routable} of ${backends.length} take new requests.`;
  const worst = backends.find((backend) => backend.approved && backend.status === 'unhealthy');
  if (worst === undefined) return head;
  const since = elapsedWords(elapsedMs(worst.statusSince, now));
  return `${head} ${worst.id} is down for ${since}: ${reasonWords(worst)}.`;
}
