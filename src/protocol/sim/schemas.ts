// The control face of the simulated model server: faults on command and its live figures. The
// demo and tests are its clients. Reachable from loopback only.

import { z } from 'zod';

export const simFaultKinds = [
  'refuse',
  'reset',
  '429',
  '500',
  '401',
  'hang',
  'cut_stream',
  'slow',
  'invalid_json',
  'bad_headers',
  'loading',
] as const;

/** `POST /sim/faults`. A fault holds until `count` requests had it, its time is over, or DELETE. */
export const simFaultSchema = z.strictObject({
  kind: z.enum(simFaultKinds),
  /** How many of the next requests it strikes; without it every one. */
  count: z.int().min(1).max(1_000_000).optional(),
  /** Chance that it strikes a request, drawn from the seed. */
  probability: z.number().min(0).max(1).optional(),
  /** cut_stream: content chunks that still go out. */
  after_chunks: z.int().min(0).max(100_000).optional(),
  /** slow: how many times as long a batch with this request takes. */
  factor: z.number().min(1).max(10_000).optional(),
  /** 429: seconds in the retry-after header. */
  retry_after: z.int().min(0).max(86_400).optional(),
  /** Path prefixes that it strikes; without it the inference paths, for loading all paths. */
  paths: z.array(z.string().startsWith('/').max(200)).min(1).max(16).optional(),
  /** The fault ends by itself after this time, real milliseconds; refuse has 5000. */
  duration_ms: z.int().min(1).max(3_600_000).optional(),
});
export type SimFault = z.infer<typeof simFaultSchema>;

const count = z.int().min(0);

/** `GET /sim/state`. */
export const simStateSchema = z.object({
  simulated: z.literal(true),
  as: z.string(),
  name: z.string(),
  models: z.array(z.string()),
  profile: z.string(),
  speed: z.number(),
  uptime_ms: count,
  /** In the batch, and waiting for a slot or KV cache. */
  running: count,
  waiting: count,
  /** Inference requests that are open and have sent nothing yet, hung ones included. */
  without_first_byte: count,
  /** Streams that are open and have sent at least one chunk. */
  streams_running: count,
  requests_total: count,
  requests_finished: count,
  /** Refused for their content, their key or a full queue. */
  requests_refused: count,
  /** Struck by a fault that ended them. */
  requests_faulted: count,
  /** The client went away before the end. */
  aborted_total: count,
  streams: z.object({ started: count, finished: count, aborted: count, cut: count }),
  kv_used_tokens: count,
  kv_total_tokens: count,
  prefix_queried_tokens: count,
  prefix_hit_tokens: count,
  prompt_tokens_total: count,
  generated_tokens_total: count,
  faults: z.array(simFaultSchema),
});
export type SimState = z.infer<typeof simStateSchema>;

/** `GET /sim/stats`: what the server was made to do, by whomever. */
export const simStatsSchema = z.object({
  /** Requests that reached the engine for output or embeddings. */
  generations_total: count,
  /** Those of them that a provider bills: on the faces openai, anthropic and google. */
  paid_calls_total: count,
  /** Loads that a request for an unloaded model started. */
  model_wakes_total: count,
  /** Loads, unloads (asked for, for room, or for idleness) and downloads that ended well. */
  model_loads_total: count,
  model_unloads_total: count,
  model_pulls_total: count,
  vram_total_bytes: count,
  vram_used_bytes: count,
  models: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['unloaded', 'loading', 'loaded']),
      size_bytes: count,
      vram_bytes: count,
    }),
  ),
  /** Requests by `METHOD /path`, whatever became of them; the control paths are not counted. */
  paths: z.record(z.string(), count),
});
export type SimStats = z.infer<typeof simStatsSchema>;
