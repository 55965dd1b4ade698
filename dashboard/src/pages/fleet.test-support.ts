// Backends and explanations for the tests of the Fleet pages: in order, unless the test says else.

import type { BackendExplainWire, BackendViewWire, OperationWire } from '../api/wire.ts';

export const noon = '2026-11-12T12:00:00.000Z';

export function model(id: string, contextLength = 8192): BackendViewWire['models'][number] {
  return {
    id,
    name: id,
    context_length: contextLength,
    supports_vision: false,
    supports_tools: false,
    supports_json_mode: false,
    max_output_tokens: null,
  };
}

/** A vLLM that takes requests, is not busy and tells nothing of its load. */
export function backend(
  id: string,
  models: readonly string[] = [],
  more: Partial<BackendViewWire> = {},
): BackendViewWire {
  return {
    id,
    name: id,
    url: `http://${id}:8000`,
    backend_type: 'vllm',
    status: 'healthy',
    status_reason: null,
    status_since: noon,
    status_words: '',
    routable: true,
    last_health_check: noon,
    last_error: null,
    models: models.map((one) => model(one)),
    priority: 50,
    pending_requests: 0,
    total_requests: 0,
    avg_latency_ms: 0,
    first_byte_ms: null,
    discovery_source: 'static',
    metadata: {},
    zone: 'restricted',
    tier: 3,
    capacity: 0,
    approved: true,
    simulated: false,
    current_operation: null,
    load: null,
    loaded_models: null,
    closed_models: [],
    ...more,
  };
}

export function operation(more: Partial<OperationWire> = {}): OperationWire {
  return {
    operation_id: 'op-1',
    operation_type: 'load',
    model_id: 'chat',
    source_backend_id: null,
    target_backend_id: 'a',
    status: 'in_progress',
    progress_percent: 40,
    eta_ms: 12_000,
    initiated_at: noon,
    completed_at: null,
    error_details: null,
    ...more,
  };
}

/** Takes requests, was never probed, has no history. */
export function explain(
  of: BackendViewWire,
  more: Partial<BackendExplainWire> = {},
): BackendExplainWire {
  return {
    backend: of,
    verdict: 'Takes requests.',
    gates: [],
    next_probe_at: null,
    probe_words: '',
    failures_in_row: 0,
    successes_in_row: 0,
    recovery_needed: 2,
    probes: [],
    history: [],
    models: [],
    last_load: null,
    load_max_age_ms: 15_000,
    ...more,
  };
}
