// The wire shapes of circuit breakers. Times are RFC 3339 UTC with milliseconds.

import { z } from 'zod';

export const breakerSchema = z.object({
  /** `backend:ID`, or `backend:ID/model:M` for one model of it. */
  id: z.string(),
  backend: z.string(),
  /** Null for the breaker of the whole backend. */
  model: z.string().nullable(),
  state: z.enum(['closed', 'open', 'half_open']),
  /** Of its last transition; null when it never made one. */
  since: z.string().nullable(),
  /** When it opened last; null while it is closed. */
  opened_at: z.string().nullable(),
  /** Failed attempts in a row, while closed. */
  failures: z.int(),
  /** Good attempts in a row, while half open. */
  successes: z.int(),
  /** Requests that try it now. */
  probes_out: z.int(),
  /** What opened it last. */
  last_failure: z.string().nullable(),
  /** From when on a request may try it; null unless it is open. */
  probe_at: z.string().nullable(),
});

export const breakerListSchema = z.object({
  count: z.int(),
  /** Of the whole list: those that are not closed. */
  not_closed: z.int(),
  /** Failed attempts in a row that open one. */
  failures_to_open: z.int(),
  successes_to_close: z.int(),
  open_seconds: z.number(),
  breakers: z.array(breakerSchema),
});

export type BreakerWire = z.infer<typeof breakerSchema>;
export type BreakerListWire = z.infer<typeof breakerListSchema>;
