// The wire shapes of the control API under /api/v1, as zod schemas: requests are strict (an unknown
// member is a fault), answers are what the dashboard, the CLI and the OpenAPI document are built on.
// JSON members are snake_case; times are RFC 3339 UTC with milliseconds; latencies carry `_ms`.

import { z } from 'zod';
import { backendTypes } from '../../base/backend-type.ts';
import { backendReasonsSchema, engineLoadSchema, operationSchema } from './fleet-schemas.ts';
import { budgetSchema } from './usage-schemas.ts';

/** Query of a list: the first `limit` entries (at most 100 in one answer) after `offset`. */
export const pageQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).optional(),
  offset: z.coerce.number().int().min(0).default(0),
});

export const backendTypeSchema = z.enum(backendTypes);
export const backendStatusSchema = z.enum(['healthy', 'unhealthy', 'unknown', 'draining']);
export const zoneSchema = z.enum(['restricted', 'open']);

export const modelSchema = z.object({
  id: z.string(),
  name: z.string(),
  context_length: z.int(),
  supports_vision: z.boolean(),
  supports_tools: z.boolean(),
  supports_json_mode: z.boolean(),
  max_output_tokens: z.int().nullable(),
});

/** One backend as everybody sees it. */
export const backendViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  backend_type: backendTypeSchema,
  status: backendStatusSchema,
  status_reason: z.string().nullable(),
  /** When the present status began. */
  status_since: z.string(),
  /** One sentence: why it takes requests, or why not. */
  status_words: z.string(),
  /** Does it take new requests now? */
  routable: z.boolean(),
  last_health_check: z.string(),
  last_error: z.string().nullable(),
  models: z.array(modelSchema),
  priority: z.int(),
  pending_requests: z.int(),
  total_requests: z.int(),
  avg_latency_ms: z.int(),
  /** First-byte EMA of inference, null when never measured. */
  first_byte_ms: z.int().nullable(),
  discovery_source: z.enum(['static', 'mdns', 'manual']),
  metadata: z.record(z.string(), z.string()),
  zone: zoneSchema,
  tier: z.int(),
  capacity: z.int(),
  approved: z.boolean(),
  simulated: z.boolean(),
  current_operation: operationSchema.nullable(),
  /** What the engine itself tells of its load; null when it does not, or too long ago. */
  load: engineLoadSchema.nullable(),
  /** Ids of the models in memory; null when the engine does not tell. */
  loaded_models: z.array(z.string()).nullable(),
  /** Models that take no requests for the time of an operation. */
  closed_models: z.array(z.object({ id: z.string(), reason: z.enum(['loading', 'unloading']) })),
});
export type BackendViewWire = z.infer<typeof backendViewSchema>;

/** What `GET /api/v1/backends/{id}/explain` answers. */
export const backendExplainSchema = backendReasonsSchema.extend({ backend: backendViewSchema });
export type BackendExplainWire = z.infer<typeof backendExplainSchema>;

export const backendListSchema = z.object({
  count: z.int(),
  /** The first line of the Fleet page and of `backends list`. */
  summary: z.string(),
  backends: z.array(backendViewSchema),
});

export const backendAddSchema = z.strictObject({
  url: z.string().min(1).max(2048),
  name: z.string().min(1).max(128).optional(),
  type: backendTypeSchema.optional(),
  priority: z.int().min(-1000).max(1000).optional(),
  zone: zoneSchema.optional(),
  tier: z.int().min(1).max(5).optional(),
  capacity: z.int().min(0).max(1_000_000).optional(),
  api_key_env: z.string().max(128).optional(),
});

export const backendEditSchema = z.strictObject({
  priority: z.int().min(-1000).max(1000).optional(),
  zone: zoneSchema.optional(),
  tier: z.int().min(1).max(5).optional(),
  capacity: z.int().min(0).max(1_000_000).optional(),
});

export const permissionSchema = z.enum([
  'inference:use',
  'inference:batch',
  'inference:priority',
  'jobs:write',
  'models:read',
  'models:write',
  'models:operate',
  'models:promote',
  'placement:read',
  'placement:write',
  'backends:read',
  'backends:write',
  'gpus:read',
  'gpus:write',
  'policy:read',
  'policy:write',
  'telemetry:read',
  'notifications:write',
  'decisions:read',
  'replay:run',
  'audit:read',
  'audit:export',
  'reports:read',
  'users:admin',
  'config:write',
  'security:write',
  'group:read',
  'group:write',
  'group:admin',
]);
export type Permission = z.infer<typeof permissionSchema>;

export const keyViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  group_name: z.string(),
  owner: z.string().nullable(),
  permissions: z.array(permissionSchema),
  /** Globs of model ids; empty means every model. */
  models: z.array(z.string()),
  /** Last four characters, for recognition. */
  last4: z.string(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  revoked: z.boolean(),
  last_used_at: z.string().nullable(),
});
export type KeyViewWire = z.infer<typeof keyViewSchema>;

export const keyListSchema = z.object({ count: z.int(), keys: z.array(keyViewSchema) });

export const keyCreateSchema = z.strictObject({
  name: z.string().min(1).max(128),
  permissions: z.array(permissionSchema).min(1).max(64).optional(),
  models: z.array(z.string().min(1).max(1000)).max(100).optional(),
  /** Days until it expires; null means never. Default 90. */
  expires_in_days: z.int().min(1).max(36500).nullable().optional(),
});
/** The only answer that ever holds the secret. */
export const keyCreatedSchema = keyViewSchema.extend({ secret: z.string() });

export const sessionCreateSchema = z.strictObject({ api_key: z.string().min(1).max(256) });
export const meSchema = z.object({
  principal: z.string(),
  user: z.string().nullable(),
  group_name: z.string(),
  permissions: z.array(permissionSchema),
});

export const candidateSchema = z.object({
  backend_id: z.string(),
  /** Undivided score 0..10000; null for an excluded backend. */
  score: z.number().nullable(),
  /** Why it was excluded or what its score is made of. */
  reason: z.string(),
  /** Name of the stage that excluded it, null for a candidate. */
  stage: z.string().nullable(),
  suggested_action: z.string().nullable(),
  /** What each figure adds to the score; they sum to it. Null unless the strategy is smart. */
  terms: z
    .object({ priority: z.number(), load: z.number(), latency: z.number() })
    .nullable()
    .optional(),
  /** What was read of it when it was considered. */
  figures: z
    .object({
      pending: z.int(),
      /** Null when not known. */
      capacity: z.int().nullable(),
      /** Average first byte; null when never measured. */
      first_byte_ms: z.number().nullable(),
    })
    .optional(),
  /** The smallest change of its figures that would have made it win; null where none would have. */
  would_have_won: z.string().nullable().optional(),
});

/** The gate before the body: what was read, and the verdict. */
export const admissionViewSchema = z.object({
  /** admitted, key_limit, mode or shed. */
  verdict: z.string(),
  words: z.string(),
  /** 1 (least urgent) to 5. */
  priority_class: z.int(),
  mode: z.string(),
  in_flight: z.int(),
  in_flight_max: z.int(),
  key_in_flight: z.int(),
  /** 0: no limit. */
  key_in_flight_max: z.int(),
  /** The limit that said no, where one did. */
  limit: z
    .object({
      scope: z.enum(['installation', 'group', 'key']),
      kind: z.enum(['requests', 'tokens', 'concurrency']),
      bound: z.int(),
      left: z.int(),
      retry_ms: z.int(),
    })
    .optional(),
});

/** One stay in the queue. */
const stayViewSchema = z.object({
  at: z.string(),
  ended: z.enum(['placed', 'timeout', 'deadline', 'full', 'left', 'stopping']),
  waited_ms: z.number(),
  /** Places that were taken, of all, of those open to its class, and by its group. */
  depth: z.int(),
  size_max: z.int(),
  places: z.int(),
  held_by_group: z.int(),
  words: z.string(),
});

/** The batch that the request went out in. */
const batchViewSchema = z.object({
  at: z.string(),
  batch_id: z.string(),
  size: z.int(),
  limit: z.int(),
  cause: z.enum(['full', 'timeout', 'priority']),
  waited_ms: z.number(),
  words: z.string(),
});

/** What a copy of the request came to, beside the request itself. */
const shadowViewSchema = z.object({
  at: z.string(),
  shadow: z.string(),
  backend_id: z.string().nullable(),
  model: z.string(),
  outcome: z.enum(['compared', 'failed', 'timed_out', 'dropped', 'refused']),
  status: z.int(),
  primary_status: z.int(),
  completion_tokens: z.int(),
  primary_completion_tokens: z.int(),
  total_ms: z.number(),
  primary_total_ms: z.number(),
  /** Of the two texts, 0 to 10 000; null where they were not compared. */
  distance_basis_points: z.int().nullable(),
  words: z.string(),
});

/** One attempt with its own reasons, made again from the record. */
export const attemptViewSchema = z.object({
  attempt: z.int(),
  at: z.string(),
  backend_id: z.string().nullable(),
  reason: z.string(),
  route_reason: z.string().nullable(),
  /** Why no backend was found; null where one was. */
  code: z.string().nullable(),
  mode: z.string(),
  strategy: z.string().nullable(),
  /** SHA-256 of the snapshot that was decided on. */
  snapshot: z.string(),
  seed: z.int(),
  cursor: z.int(),
  tried: z.array(z.string()),
  candidates: z.array(candidateSchema),
});

export const decisionSchema = z.object({
  /** `{request_id}.{n}` */
  decision_id: z.string(),
  request_id: z.string(),
  at: z.string(),
  path: z.string(),
  key_id: z.string(),
  group_name: z.string(),
  model: z.string(),
  served_model: z.string().nullable(),
  backend_id: z.string().nullable(),
  reason: z.string(),
  route_reason: z.string().nullable(),
  attempts: z.int(),
  stream: z.boolean(),
  status: z.int(),
  code: z.string().nullable(),
  first_byte_ms: z.number().nullable(),
  total_ms: z.number(),
  overhead_ms: z.number(),
  /** Average first byte of the chosen backend when it was chosen; null when never measured. */
  selected_latency_ms: z.number().nullable(),
  /** The lowest such average among the backends that could have been chosen. */
  minimum_latency_ms: z.number().nullable(),
  candidates: z.array(candidateSchema),
  /** What follows is there for decisions that the log holds. */
  prompt_tokens: z.int().optional(),
  completion_tokens: z.int().optional(),
  admission: admissionViewSchema.nullable().optional(),
  attempts_detail: z.array(attemptViewSchema).optional(),
  /** What the client said of it. */
  annotations: z.record(z.string(), z.string()).optional(),
  /** The arm of a traffic split that it drew. */
  split: z.object({ experiment: z.string(), arm: z.string() }).optional(),
  queue: z.array(stayViewSchema).optional(),
  batches: z.array(batchViewSchema).optional(),
  /** An older answer took the place of this refusal. */
  degraded: z.object({ code: z.string(), age_ms: z.int(), words: z.string() }).optional(),
  shadows: z.array(shadowViewSchema).optional(),
  /** Where the log has it; null when it does not. */
  record: z
    .object({ segment: z.string(), offset: z.int(), sequence: z.int() })
    .nullable()
    .optional(),
  /** Made again from the record; null where that cannot be done, and `again_words` says why. */
  again: z.enum(['same', 'differs']).nullable().optional(),
  again_words: z.string().nullable().optional(),
  /** Number of the behaviour that the program had. */
  behaviour: z.int().nullable().optional(),
});
export type DecisionWire = z.infer<typeof decisionSchema>;
export const decisionListSchema = z.object({
  count: z.int(),
  decisions: z.array(decisionSchema),
  /** Give it as `after` for the decisions before these; null at the end. */
  next: z.string().nullable().optional(),
  /** What the answer does not hold, and why; null when it is whole. */
  incomplete: z.string().nullable().optional(),
});

/** Query of the decisions: those of the log when a filter or `after` is given. */
export const decisionQuerySchema = z.strictObject({
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
  model: z.string().max(1000).optional(),
  backend: z.string().max(63).optional(),
  /** `ok`, `failed`, a status such as `503`, or a code of the catalogue. */
  outcome: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).default(50),
  /** `next` of the answer before. */
  after: z.string().max(200).optional(),
});

export const serviceHealthSchema = z.object({
  service: z.string(),
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  level: z.enum(['healthy', 'minor', 'warning', 'degraded', 'critical']),
  state: z.enum(['starting', 'active', 'draining', 'stopped']),
  version: z.string(),
  build: z.string(),
  uptime_seconds: z.number(),
  health_score: z.number(),
});
export const gatewayHealthSchema = serviceHealthSchema.extend({
  backends: z.object({ total: z.int(), healthy: z.int(), unhealthy: z.int() }),
  models: z.int(),
  services: z.record(z.string(), z.string()),
  quorum: z.boolean(),
});
export const serviceListSchema = z.object({
  count: z.int(),
  services: z.array(
    serviceHealthSchema.extend({ depends_on: z.array(z.string()), port: z.int().nullable() }),
  ),
});

/** What `GET /v1/stats` answers. */
export const statsSchema = z.object({
  uptime_seconds: z.number(),
  requests: z.object({ total: z.int(), success: z.int(), errors: z.int() }),
  backends: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      requests: z.int(),
      average_latency_ms: z.number(),
      pending: z.int(),
      /** Absent when never measured. */
      avg_ttft_ms: z.number().optional(),
    }),
  ),
  models: z.array(z.string()),
  /** Of the installation's month; absent without a limit. */
  budget: budgetSchema.optional(),
});

/** What `GET /v1/history` answers. */
export const historySchema = z.object({
  object: z.literal('list'),
  data: z.array(decisionSchema),
});

/** What `GET /api/v1/overview` and each second of the live socket carry. */
export const overviewSchema = z.object({
  at: z.string(),
  /** First line of the page, computed by the server. */
  verdict: z.string(),
  verdict_level: z.enum(['ok', 'attention', 'bad']),
  attention: z.array(
    z.object({ level: z.enum(['attention', 'bad']), words: z.string(), action: z.string() }),
  ),
  uptime_seconds: z.number(),
  requests: z.object({ total: z.int(), succeeded: z.int(), failed: z.int() }),
  in_flight: z.int(),
  /** Newest last; one entry per second, at most 300. */
  series: z.array(
    z.object({
      /** Unix seconds. */
      t: z.int(),
      /** Requests finished in this second. */
      requests: z.int(),
      failed: z.int(),
      /** Over the requests finished in this second; null without any. */
      first_byte_p50_ms: z.number().nullable(),
      first_byte_p95_ms: z.number().nullable(),
    }),
  ),
  backends: z.object({ total: z.int(), routable: z.int() }),
  simulated: z.boolean(),
});
export type OverviewWire = z.infer<typeof overviewSchema>;

/** Messages of the live socket `/ws`, server to client only. */
export const liveUpdateSchema = z.discriminatedUnion('update_type', [
  z.object({ update_type: z.literal('BackendStatus'), data: backendListSchema }),
  z.object({
    update_type: z.literal('RequestComplete'),
    data: z.object({ decisions: z.array(decisionSchema) }),
  }),
  z.object({ update_type: z.literal('Overview'), data: overviewSchema }),
  z.object({ update_type: z.literal('Resync'), data: z.object({}) }),
]);
export type LiveUpdate = z.infer<typeof liveUpdateSchema>;
