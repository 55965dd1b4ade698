// The wire shapes of usage and budget. Money is USD here; a cost of null is unpriced, which is not free.

import { z } from 'zod';
import { hardLimitActions } from '../../base/routing-words.ts';
import { limitSchema } from './limit-schemas.ts';

export const usageDimensionSchema = z.enum([
  'hour',
  'day',
  'month',
  'model',
  'key',
  'group',
  'backend',
]);
export type UsageDimensionWire = z.infer<typeof usageDimensionSchema>;

const texts = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((given) => [given].flat().flatMap((text) => text.split(',')))
  .transform((items) => items.map((item) => item.trim()).filter((item) => item !== ''))
  .pipe(z.array(z.string().max(1000)).max(100));

const moment = z
  .string()
  .regex(
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?$/,
    'must be a day (2026-11-01) or RFC 3339',
  )
  .refine((text) => !Number.isNaN(Date.parse(text)), 'must be a day that exists');

/** Query of `GET /api/v1/usage`. Lists by comma or repetition; times are cut to whole hours. */
export const usageQuerySchema = z.strictObject({
  group: texts,
  key: texts,
  model: texts,
  backend: texts,
  /** Default: the first of this month, UTC. */
  from: moment.optional(),
  /** The first moment that is out; default: now. */
  to: moment.optional(),
  by: texts.pipe(z.array(usageDimensionSchema).max(7)),
  limit: z.coerce.number().int().min(1).default(100),
  offset: z.coerce.number().int().min(0).default(0),
});

const count = z.int().min(0);

const figures = {
  requests: count,
  succeeded: count,
  /** Answered 4xx. */
  refused: count,
  /** Answered 5xx, or cut. */
  failed: count,
  /** The client left first. */
  aborted: count,
  prompt_tokens: count,
  completion_tokens: count,
  /** Of the prompt tokens. */
  cached_tokens: count,
  /** Time that backends worked. */
  backend_seconds: z.number().min(0),
  /** Null when every request that a backend worked on was of one without a price. */
  cost_usd: z.number().min(0).nullable(),
  /** Requests of backends without a price; their cost is not in `cost_usd`. */
  unpriced_requests: count,
} as const;

export const usageRowSchema = z.object({
  /** Each is there when it was asked for by `by`; an empty model or backend means that none was asked. */
  hour: z.string().optional(),
  day: z.string().optional(),
  month: z.string().optional(),
  model: z.string().optional(),
  key_id: z.string().optional(),
  group_name: z.string().optional(),
  backend_id: z.string().optional(),
  ...figures,
});
export type UsageRowWire = z.infer<typeof usageRowSchema>;

/** BR 20, `budget` of `/v1/stats`. */
export const budgetSchema = z.object({
  /** Settled this month. */
  current_spending_usd: z.number(),
  /** Booked for requests that are under way. */
  reserved_usd: z.number(),
  monthly_limit_usd: z.number(),
  /** Of what is settled and reserved. */
  utilization_percent: z.number(),
  status: z.enum(['Normal', 'SoftLimit', 'HardLimit']),
  /** `2026-11` */
  billing_month: z.string(),
  last_reconciliation: z.string(),
  /** Per cent. */
  soft_limit_threshold: z.number(),
  hard_limit_action: z.enum(hardLimitActions),
  next_reset_date: z.string(),
});
export type BudgetWire = z.infer<typeof budgetSchema>;

/** What `GET /api/v1/usage` answers. */
export const usageSchema = z.object({
  /** All rows there are. */
  count: z.int(),
  from: z.string(),
  to: z.string(),
  usage: z.array(usageRowSchema),
  total: z.object(figures),
  prices: z.object({ dated: z.string(), built_in: z.boolean() }),
  /** Null without a limit. */
  budget: budgetSchema.nullable(),
  /** Limits that hold for the caller: of the key, its group and the installation. */
  limits: z.array(limitSchema).default([]),
});
export type UsageWire = z.infer<typeof usageSchema>;
