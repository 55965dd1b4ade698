// The wire shapes of shadow traffic. Times are RFC 3339 UTC with milliseconds.

import { z } from 'zod';

const sideSchema = z.object({
  backend: z.string(),
  model: z.string(),
  /** 0: no answer. */
  status: z.int(),
  /** Of the answer. */
  tokens: z.int(),
  first_byte_ms: z.int().nullable(),
  total_ms: z.int(),
});

export const shadowComparisonSchema = z.object({
  at: z.string(),
  shadow: z.string(),
  request_id: z.string(),
  outcome: z.enum(['compared', 'failed', 'timed_out']),
  /** What the client got. */
  primary: sideSchema,
  /** What the copy got. */
  copy: sideSchema,
  /** Between the two texts, 0 (alike) to 1; null where there were no two texts. */
  distance: z.number().nullable(),
});

const summarySideSchema = z.object({
  /** Mean over what was compared. */
  tokens: z.number().nullable(),
  /** Median over what was compared. */
  total_ms: z.number().nullable(),
});

export const shadowSummarySchema = z.object({
  name: z.string(),
  /** As configured now; null of a rule that is gone. */
  rule: z
    .object({
      model_pattern: z.string(),
      to_backend: z.string().nullable(),
      to_model: z.string().nullable(),
      percent: z.number(),
    })
    .nullable(),
  /** Of the comparisons that are kept, the newest of each rule. */
  compared: z.int(),
  failed: z.int(),
  timed_out: z.int(),
  /** Copies that never left, since the process started: no room, no backend, would have acted twice. */
  dropped: z.int(),
  refused: z.int(),
  side_effects: z.int(),
  mean_distance: z.number().nullable(),
  primary: summarySideSchema,
  copy: summarySideSchema,
});

export const shadowListSchema = z.object({
  count: z.int(),
  shadows: z.array(shadowSummarySchema),
  /** The newest first. */
  comparisons: z.array(shadowComparisonSchema),
});

/** `name`: comparisons of one rule only. */
export const shadowQuerySchema = z.strictObject({
  name: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(0).default(20),
});

export type ShadowComparisonWire = z.infer<typeof shadowComparisonSchema>;
export type ShadowSummaryWire = z.infer<typeof shadowSummarySchema>;
export type ShadowListWire = z.infer<typeof shadowListSchema>;
