// The wire shapes of the fleet beyond one backend's view: engine load, operations on models, the
// explanation of a backend, and pre-warm recommendations.

import { z } from 'zod';

export const engineLoadSchema = z.object({
  /** Requests that are being worked on; null when the engine does not tell. */
  running: z.int().nullable(),
  /** Requests that wait inside the engine. */
  waiting: z.int().nullable(),
  /** Share of the key-value cache in use, 0 to 1. */
  kv_use: z.number().nullable(),
  read_at: z.string(),
});

export const operationSchema = z.object({
  operation_id: z.string(),
  operation_type: z.enum(['load', 'unload', 'migrate', 'download']),
  model_id: z.string(),
  source_backend_id: z.string().nullable(),
  target_backend_id: z.string(),
  status: z.enum(['pending', 'in_progress', 'completed', 'failed']),
  progress_percent: z.int(),
  eta_ms: z.int().nullable(),
  initiated_at: z.string(),
  completed_at: z.string().nullable(),
  error_details: z.string().nullable(),
});
export type OperationWire = z.infer<typeof operationSchema>;

/** What `GET /api/v1/operations` answers, newest first. */
export const operationListSchema = z.object({
  count: z.int(),
  operations: z.array(operationSchema),
});

// ---- operations on models, under /v1 ---------------------------------------------------------

const modelId = z.string().min(1).max(1000);
const backendId = z.string().min(1).max(63);

export const modelLoadSchema = z.strictObject({
  model_id: modelId,
  backend_id: backendId,
  /** Fetch the weights first when the backend does not have them; a `download` of its own. */
  download: z.boolean().default(false),
});
export const modelMigrateSchema = z.strictObject({
  model_id: modelId,
  source_backend_id: backendId,
  target_backend_id: backendId,
});
/** Query of `DELETE /v1/models/{model}`. */
export const modelUnloadQuerySchema = z.strictObject({
  backend_id: backendId,
  /** Wait for the requests of this model that run, instead of refusing. */
  drain: z.enum(['true', 'false']).default('false'),
});

/** 202 of a load and of a migration. */
export const operationAcceptedSchema = z.object({
  operation_id: z.string(),
  model_id: z.string(),
  backend_id: z.string(),
  status: z.enum(['pending', 'in_progress', 'completed', 'failed']),
  message: z.string().optional(),
});
/** 200 of an unload. */
export const modelUnloadedSchema = operationAcceptedSchema.extend({
  vram_free_bytes: z.int().nullable(),
  vram_free_gb: z.number().nullable(),
});

/** Body of `POST /api/v1/operations`: the same operations for whoever speaks the control API. */
export const operationOrderSchema = z.discriminatedUnion('operation_type', [
  modelLoadSchema.extend({ operation_type: z.literal('load') }),
  modelMigrateSchema.extend({ operation_type: z.literal('migrate') }),
  z.strictObject({
    operation_type: z.literal('unload'),
    model_id: modelId,
    backend_id: backendId,
    /** Wait for the requests of this model that run, instead of refusing. */
    drain: z.boolean().default(false),
  }),
]);
export type OperationOrder = z.infer<typeof operationOrderSchema>;

/** What `GET /v1/fleet/recommendations` and `GET /api/v1/recommendations` answer. */
export const recommendationListSchema = z.object({
  recommendations: z.array(
    z.object({
      recommendation_id: z.string(),
      model_id: z.string(),
      target_backend_ids: z.array(z.string()),
      /** 0 to 1. */
      confidence_score: z.number(),
      reasoning: z.string(),
      vram_required_bytes: z.int().nullable(),
      generated_at: z.string(),
      expires_at: z.string(),
    }),
  ),
  fleet_enabled: z.boolean(),
  generated_at: z.string(),
});

// ---- one backend explained -------------------------------------------------------------------

export const gateNames = [
  'approval',
  'health',
  'lifecycle',
  'zone',
  'budget',
  'tier',
  'quality',
  'breaker',
  'capacity',
] as const;

/** One of the gates between a request and a backend, in the order in which they are asked. */
export const gateSchema = z.object({
  name: z.enum(gateNames),
  /** `off`: nothing is configured or known that could close it. */
  state: z.enum(['open', 'closed', 'off']),
  words: z.string(),
  since: z.string().nullable(),
  /** A command, or what to do; null where nothing is wrong. */
  remedy: z.string().nullable(),
});

export const probeEntrySchema = z.object({
  at: z.string(),
  kind: z.enum(['healthy', 'unhealthy', 'loading', 'rate_limited', 'config_error']),
  /** The class of a failure with its numbers; empty for a good probe. */
  words: z.string(),
  latency_ms: z.number().nullable(),
  status: z.enum(['healthy', 'unhealthy', 'unknown', 'draining']),
});

/** A stretch of time in one state, for the ribbon. */
export const statusSpanSchema = z.object({
  from: z.string(),
  /** Null: it lasts. */
  to: z.string().nullable(),
  status: z.enum(['healthy', 'unhealthy', 'unknown', 'draining']),
  reason: z.string().nullable(),
  words: z.string(),
});

export const modelDetailSchema = z.object({
  id: z.string(),
  context_length: z.int(),
  supports_vision: z.boolean(),
  supports_tools: z.boolean(),
  supports_json_mode: z.boolean(),
  /** Null: the engine does not tell. */
  loaded: z.boolean().nullable(),
  kind: z.enum(['chat', 'embeddings']).nullable(),
  size_bytes: z.int().nullable(),
  vram_bytes: z.int().nullable(),
  quantization: z.string().nullable(),
  closed: z.enum(['loading', 'unloading']).nullable(),
  /** No other backend that takes requests offers it. */
  only_holder: z.boolean(),
});

/** What `GET /api/v1/backends/{id}/explain` answers beside the view itself. */
export const backendReasonsSchema = z.object({
  /** First line: does it take requests, since when, and why not. */
  verdict: z.string(),
  gates: z.array(gateSchema),
  /** Null while a probe is under way, or when health checks are off. */
  next_probe_at: z.string().nullable(),
  probe_words: z.string(),
  failures_in_row: z.int(),
  successes_in_row: z.int(),
  /** Good probes in a row that it needs now to be healthy again; raised by flapping. */
  recovery_needed: z.int(),
  /** Newest first, at most 50. */
  probes: z.array(probeEntrySchema),
  /** Oldest first, of the last 24 hours at most. */
  history: z.array(statusSpanSchema),
  models: z.array(modelDetailSchema),
  /** What it last told of its load, however old; null when it never told any. */
  last_load: engineLoadSchema.nullable(),
  /** Older than this, ms, the load counts as missing. */
  load_max_age_ms: z.int(),
});
export type BackendReasonsWire = z.infer<typeof backendReasonsSchema>;
