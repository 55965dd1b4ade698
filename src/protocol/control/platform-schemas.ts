// Wire shapes of the platform's own operations: cost estimates, telemetry, the audit trail.

import { z } from 'zod';
import { serviceHealthSchema } from './schemas.ts';

/** Body of `POST /v1/allocator/estimate`; members that are not known are ignored, as on all of `/v1`. */
export const estimateRequestSchema = z.object({
  /** Money in the currency of the answer. */
  total_cost: z.number(),
  quantity: z.number(),
  model_id: z.string().min(1).max(1000),
});

export const estimateSchema = z.object({
  cost_per_unit: z.number(),
  total_estimate: z.number(),
  currency: z.string(),
});

export const telemetryQuerySchema = z.object({
  window_seconds: z.coerce.number().int().min(1).max(299).default(60),
});

/** Quantiles of a window, with what they are worth: how many samples and how far off at most. */
export const quantilesSchema = z.object({
  count: z.int(),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  /** Bound on |told - exact| / exact of each quantile. */
  relative_error: z.number(),
});
export type QuantilesWire = z.infer<typeof quantilesSchema>;

/** Index i counts values in (2^(i / 2^scale), 2^((i + 1) / 2^scale)]. */
export const exponentialHistogramSchema = z.object({
  scale: z.int(),
  count: z.int(),
  sum: z.number(),
  zero_threshold: z.number(),
  zero_count: z.int(),
  positive: z.object({ indexes: z.array(z.int()), counts: z.array(z.int()) }),
});

export const alertSchema = z.object({
  name: z.string(),
  level: z.enum(['warning']),
  value: z.number(),
  threshold: z.number(),
  since: z.string(),
});
export type AlertWire = z.infer<typeof alertSchema>;

/** What `GET /v1/telemetry/export` answers. */
export const telemetrySchema = z.object({
  object: z.literal('telemetry'),
  at: z.string(),
  window_seconds: z.int(),
  requests: z.int(),
  errors: z.int(),
  /** Share of requests that failed by our fault, 0 to 1. */
  error_rate: z.number(),
  throughput_per_second: z.number(),
  first_byte_ms: quantilesSchema,
  /** The same latencies in ms as an exponential histogram of OpenTelemetry. */
  first_byte_histogram: exponentialHistogramSchema,
  services: z.array(serviceHealthSchema.pick({ service: true, level: true, health_score: true })),
  alerts: z.array(alertSchema),
});
export type TelemetryWire = z.infer<typeof telemetrySchema>;

const moment = z.iso.datetime({ offset: true });

export const auditQuerySchema = z
  .strictObject({
    stream: z.string().min(1).max(63).optional(),
    kind: z.string().min(1).max(100).optional(),
    /** Both ends belong to the window. */
    from: moment.optional(),
    to: moment.optional(),
    /** Events after this sequence of the stream. */
    after: z.coerce.number().int().min(0).optional(),
    limit: z.coerce.number().int().min(1).default(100),
    /** The last events of the window instead of the first; oldest first all the same. */
    newest: z.enum(['true', 'false']).default('false'),
    /** Silences longer than this are told as gaps. */
    gap_seconds: z.coerce.number().min(0).max(31_536_000).optional(),
  })
  .refine(({ stream, after }) => after === undefined || stream !== undefined, {
    path: ['after'],
    message: 'needs the stream whose sequence it counts',
  });

export const auditEventSchema = z.object({
  stream: z.string(),
  sequence: z.int(),
  id: z.string(),
  kind: z.string(),
  version: z.int(),
  occurred_at: z.string(),
  actor: z.string(),
  subject: z.string(),
  data: z.record(z.string(), z.unknown()),
  prev_hash: z.string(),
  hash: z.string(),
});

export const auditEventsSchema = z.object({
  count: z.int(),
  /** Of one stream in its sequence, of all streams oldest first. */
  events: z.array(auditEventSchema),
  by_kind: z.record(z.string(), z.int()),
  /** Were there more events than the limit allows: later ones, or with `newest` earlier ones? */
  more: z.boolean(),
  /** False when a silence longer than `gap_seconds` was found. */
  complete: z.boolean(),
  gaps: z.array(z.object({ from: z.string(), to: z.string() })),
});
