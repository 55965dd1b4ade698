// The wire shapes of the trust part of the control API: serving mode, audit, decisions in the log,
// replay and explain. Requests are strict; answers are what CLI, dashboard and the OpenAPI document
// are built on. Times are RFC 3339 UTC with milliseconds; durations carry `_ms` or `_seconds`.

import { z } from 'zod';

export const servingModeSchema = z.enum(['normal', 'watch', 'restricted', 'halted']);

// ---- serving mode ----------------------------------------------------------------------------

/** One window pair of the burn rate: it fires when both windows burn at `factor` or more. */
export const burnPairSchema = z.object({
  /** `fast`, `slow` or `ticket`. */
  name: z.string(),
  factor: z.number(),
  long_seconds: z.int(),
  short_seconds: z.int(),
  /** Times the budget's own pace; null without enough requests in the window. */
  long_burn: z.number().nullable(),
  short_burn: z.number().nullable(),
  firing: z.boolean(),
  /** Does it move the mode? The ticket pair only tells. */
  moves: z.boolean(),
});

/** What each mode changes, for the table of the page. */
export const modeEffectsSchema = z.object({
  mode: servingModeSchema,
  description: z.string(),
  retries: z.int(),
  least_class: z.int(),
  emergency_shedding: z.boolean(),
  experiments: z.boolean(),
  shadow_share: z.number(),
  canary_promotion: z.boolean(),
  deployments: z.boolean(),
  batching: z.enum(['all', 'priority', 'none']),
  batch_wait_share: z.number(),
  openai_batches: z.boolean(),
  suite_runs: z.boolean(),
  /** Good ticks in a row that lead one step down; null for normal. */
  calm_ticks: z.int().nullable(),
  /** Seconds between two escalations out of this mode. */
  cooldown_seconds: z.number(),
});

export const modePinSchema = z.object({
  mode: servingModeSchema,
  by: z.string(),
  reason: z.string(),
  since: z.string(),
  /** Null: until somebody lifts it. */
  until: z.string().nullable(),
});

export const policyViewSchema = z.object({
  at: z.string(),
  mode: servingModeSchema,
  since: z.string(),
  /** The first line of the page and of `tensorforge policy`, computed by the server. */
  verdict: z.string(),
  verdict_level: z.enum(['ok', 'attention', 'bad']),
  pin: modePinSchema.nullable(),
  /** The mode that the ladder itself holds; differs from `mode` only under a pin. */
  ladder_mode: servingModeSchema,
  /** Since when no tick had an outcome; null while there are some. The level is frozen meanwhile. */
  no_data_since: z.string().nullable(),
  up: z.object({
    burst: z.int(),
    burst_needed: z.int(),
    risk: z.number(),
    risk_threshold: z.number(),
    cooldown_left_seconds: z.number(),
    /** Escalations that the cooldown swallowed since the last change. */
    suppressed: z.int(),
  }),
  down: z.object({
    streak: z.int(),
    /** Null in normal. */
    streak_needed: z.int().nullable(),
    hold_left_seconds: z.number(),
    /** Has the burn of the short window fallen below the recovery share? */
    recovered: z.boolean(),
  }),
  slo: z.object({
    /** `streams begin within 2000 ms, no server error` */
    words: z.string(),
    first_byte_ms: z.int(),
    /** 0 to 1: 0.99 */
    objective: z.number(),
    period_days: z.int(),
    /** Share of the error budget of the period that is left, 0 to 1; null without requests. */
    budget_left: z.number().nullable(),
    requests: z.int(),
    bad: z.int(),
  }),
  burn: z.array(burnPairSchema),
  effects: z.array(modeEffectsSchema),
});
export type PolicyViewWire = z.infer<typeof policyViewSchema>;

export const policyMoveSchema = z.object({
  /** Sequence in the stream `policy`. */
  sequence: z.int(),
  at: z.string(),
  /** mode_escalated, mode_deescalated, mode_escalation_suppressed, mode_pinned, mode_unpinned. */
  kind: z.string(),
  from: servingModeSchema.nullable(),
  to: servingModeSchema.nullable(),
  reason: z.string(),
  actor: z.string(),
  /** What was read: burst, risk, burn rates, counts of the tick. */
  evidence: z.record(z.string(), z.unknown()),
});

export const burnPointSchema = z.object({
  /** Unix seconds. */
  t: z.int(),
  /** Burn over 5 minutes, 1 hour, 6 hours ending at `t`; null without enough requests. */
  five_minutes: z.number().nullable(),
  hour: z.number().nullable(),
  six_hours: z.number().nullable(),
});

export const policyHistorySchema = z.object({
  count: z.int(),
  /** Newest first. */
  moves: z.array(policyMoveSchema),
  /** Oldest first, one per minute, at most 360. */
  burn: z.array(burnPointSchema),
});
export type PolicyHistoryWire = z.infer<typeof policyHistorySchema>;

export const policyPinSchema = z.strictObject({
  mode: servingModeSchema,
  reason: z.string().min(1).max(500),
  /** Seconds from now, 60 to 604800; null pins until it is lifted. */
  expires_in_seconds: z.int().min(60).max(604_800).nullable(),
});

// ---- audit -----------------------------------------------------------------------------------

export const auditFaultSchema = z.object({
  /** `events`, `digests`, `segments` or `snapshots`. */
  where: z.enum(['events', 'digests', 'segments', 'snapshots']),
  /** Stream of control events, or segment file. */
  name: z.string(),
  /** Sequence in the stream, or of the record at which it begins. */
  sequence: z.int().nullable(),
  /** Byte offset in the segment. */
  offset: z.int().nullable(),
  reason: z.string(),
  expected: z.string().nullable(),
  found: z.string().nullable(),
});

export const auditReportSchema = z.object({
  at: z.string(),
  whole: z.boolean(),
  /** `184220 records whole to 2026-11-21T12:04:31.000Z` or what is broken and where. */
  words: z.string(),
  streams: z.array(z.object({ stream: z.string(), sequence: z.int(), hash: z.string() })),
  events: z.int(),
  digests: z.int(),
  /** Decision segments looked at and the records in them. */
  segments: z.int(),
  records: z.int(),
  faults: z.array(auditFaultSchema),
});
export type AuditReportWire = z.infer<typeof auditReportSchema>;

// ---- decision log and replay -----------------------------------------------------------------

export const replayStartSchema = z.strictObject({
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
  /** One request only. */
  request_id: z.string().max(64).optional(),
  /** Sections of a candidate policy bundle, as in the configuration file: `routing`, `policy`. */
  policy: z.record(z.string(), z.unknown()).optional(),
});

export const replayDivergenceSchema = z.object({
  decision_id: z.string(),
  at: z.string(),
  segment: z.string(),
  offset: z.int(),
  sequence: z.int(),
  /** Name of the first member that differs: `chosen`, `score of sim-a`, `verdict`, `mode`. */
  member: z.string(),
  recorded: z.string(),
  again: z.string(),
});

export const replayShiftSchema = z.object({
  /** Backend id; `refused` for none. */
  backend_id: z.string(),
  recorded: z.int(),
  candidate: z.int(),
});

/** One labelled estimate over one slice of the traffic. */
export const replaySliceSchema = z.object({
  model: z.string(),
  /** Prompt tokens of the slice: `0-511`. */
  tokens: z.string(),
  decisions: z.int(),
  uncongested: z.int(),
  /** Why there is no estimate; null when there is one. */
  refused: z.string().nullable(),
  effective_sample_size: z.number().nullable(),
  /** Mean first byte, ms: as recorded, and as the candidate would have had it, with a 95 % interval. */
  recorded_first_byte_ms: z.number().nullable(),
  candidate_first_byte_ms: z.number().nullable(),
  low_ms: z.number().nullable(),
  high_ms: z.number().nullable(),
});

export const simulatedFiguresSchema = z.object({
  requests: z.int(),
  rejected: z.int(),
  first_byte_p50_ms: z.number().nullable(),
  first_byte_p95_ms: z.number().nullable(),
  goodput: z.number(),
});

export const replayReportSchema = z.object({
  id: z.string(),
  state: z.enum(['running', 'done', 'failed']),
  /** The first line of the page and of `tensorforge replay`. */
  words: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  seconds: z.number(),
  /** Decisions made again, by kind of record. */
  decisions: z.int(),
  by_kind: z.record(z.string(), z.int()),
  /** Records that nothing could be decided from, by reason; 0 in a whole log. */
  skipped: z.record(z.string(), z.int()),
  divergences: z.int(),
  first_divergence: replayDivergenceSchema.nullable(),
  /** Times of which the log says nothing although it should; absent or empty in a whole log. */
  gaps: z
    .array(z.object({ stream: z.string(), from: z.string(), to: z.string(), words: z.string() }))
    .optional(),
  /** Share of the blocks that were read, 0 to 1, while it runs. */
  progress: z.number().optional(),
  /** Why it failed; null otherwise. */
  failure: z.string().nullable().optional(),
  /** Places where the log is damaged; replay stops being a proof when there is one. */
  faults: z.array(auditFaultSchema),
  /** Null without a candidate. */
  candidate: z
    .object({
      digest: z.string(),
      /** Tier 1, certain. */
      changed: z.int(),
      shifts: z.array(replayShiftSchema),
      /** The first 100 changed decisions. */
      diff: z.array(
        z.object({
          decision_id: z.string(),
          at: z.string(),
          model: z.string(),
          was: z.string(),
          would_be: z.string(),
          because: z.string(),
        }),
      ),
      mode_moves: z.array(
        z.object({ at: z.string(), recorded: servingModeSchema, candidate: servingModeSchema }),
      ),
      /** Tier 2, estimated: off-policy, uncongested slices only. */
      estimated: z.array(replaySliceSchema),
      /** Tier 3, simulated: this trace, the production code, engines fitted to the log. */
      simulated: z
        .object({
          recorded_policy: simulatedFiguresSchema,
          candidate: simulatedFiguresSchema,
          /** |simulated - recorded| / recorded of the p95 first byte under the recorded policy. */
          calibration_error: z.number().nullable(),
        })
        .nullable(),
      /** Why there is no simulation; null when there is one. */
      simulated_refused: z.string().nullable(),
    })
    .nullable(),
});
export type ReplayReportWire = z.infer<typeof replayReportSchema>;

export const replayListSchema = z.object({
  count: z.int(),
  /** Newest first, at most 20. */
  replays: z.array(replayReportSchema),
});
