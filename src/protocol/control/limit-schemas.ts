// The wire shapes of limits. Null sets no limit; money is USD; times are RFC 3339 UTC.

import { z } from 'zod';

export const limitScopeSchema = z.enum(['installation', 'group', 'key']);
export type LimitScopeWire = z.infer<typeof limitScopeSchema>;

const zoneSchema = z.enum(['restricted', 'open']);

/** Stands for the id of the installation, which has none. */
export const installationId = 'all';

const count = z.int().min(1).max(1_000_000_000).nullable().default(null);

const members = {
  requests_per_minute: count,
  /** Tokens in and out. */
  tokens_per_minute: count,
  /** Requests in flight at once. */
  concurrent_requests: count,
  /** Of a calendar month, UTC. */
  month_budget_usd: z.number().min(0).max(1_000_000_000).nullable().default(null),
  /** The most urgent class of requests. Null: 4, or 5 with the permission inference:priority. */
  max_priority_class: z.int().min(1).max(5).nullable().default(null),
  /** Globs of model ids; empty means every model. */
  models: z.array(z.string().min(1).max(1000)).max(100).default([]),
  /** Zones of backends; empty means every zone. */
  zones: z.array(zoneSchema).max(2).default([]),
} as const;

/** Body of `PUT /api/v1/limits/{scope}/{id}`: the whole limit, in the place of the one before. */
export const limitSetSchema = z
  .strictObject(members)
  .refine(
    ({ zones }) => zones.length === 0 || zones.includes('restricted'),
    'zones must hold restricted: nothing can be kept to open backends alone',
  )
  .refine(
    (limit) => Object.values(limit).some((one) => one !== null && [one].flat().length > 0),
    'must set a limit; DELETE takes one away',
  );
export type LimitSetWire = z.infer<typeof limitSetSchema>;

export const limitSchema = z.object({
  scope: limitScopeSchema,
  /** Name of a group, id of a key; `all` for the installation. */
  id: z.string(),
  requests_per_minute: z.int().nullable(),
  tokens_per_minute: z.int().nullable(),
  concurrent_requests: z.int().nullable(),
  month_budget_usd: z.number().nullable(),
  max_priority_class: z.int().nullable(),
  models: z.array(z.string()),
  zones: z.array(zoneSchema),
  /** What is left of each now; null where no limit is set. */
  left: z.object({
    requests: z.int().nullable(),
    tokens: z.int().nullable(),
    concurrent_requests: z.int().nullable(),
    /** Of this month, what is booked for requests under way taken off. */
    month_budget_usd: z.number().nullable(),
  }),
  changed_at: z.string(),
  changed_by: z.string(),
});
export type LimitWire = z.infer<typeof limitSchema>;

/** What `GET /api/v1/limits` answers. */
export const limitListSchema = z.object({ count: z.int(), limits: z.array(limitSchema) });
