// One entry of `backends`: a model server that the operator names in the file.
// Its name becomes its id, so names differ; its credential is only ever the name of a variable.

import { z } from 'zod';
import { backendTypes, isCloudType } from '../base/backend-type.ts';
import { canonicalBackendUrl } from '../base/backend-url.ts';
import { isBackendKeyVariable } from './variables.ts';

const nameWords = 'a text of 1 to 128 characters';
const urlWords =
  'an http:// or https:// base URL without credentials, query, fragment or escapes, at an address that is not link-local, multicast, unspecified or the metadata service of a cloud';
const keyWords = 'TENSORFORGE_BACKEND_KEY_ and a name, or the well-known variable of a provider';
const priorityWords = 'an integer from -1000 to 1000';
const tierWords = 'an integer from 1 to 5';
const capacityWords = 'an integer from 0 to 1000000';

/** The members of one entry; each carries the English of what it takes. */
export const backendEntryMembers = {
  name: z.string(nameWords).trim().min(1, nameWords).max(128, nameWords),
  url: z
    .string(urlWords)
    .max(2048, urlWords)
    .refine((text) => canonicalBackendUrl(text, []).ok, urlWords),
  type: z.enum(backendTypes, `one of ${backendTypes.join(', ')}`),
  priority: z.int(priorityWords).min(-1000, priorityWords).max(1000, priorityWords),
  api_key_env: z.string(keyWords).refine(isBackendKeyVariable, keyWords),
  zone: z.enum(['restricted', 'open'], 'restricted or open'),
  tier: z.int(tierWords).min(1, tierWords).max(5, tierWords),
  capacity: z.int(capacityWords).min(0, capacityWords).max(1_000_000, capacityWords),
} as const;

export const backendEntrySchema = z
  .object({
    ...backendEntryMembers,
    priority: backendEntryMembers.priority.default(50),
    api_key_env: backendEntryMembers.api_key_env.optional(),
    zone: backendEntryMembers.zone.optional(),
    tier: backendEntryMembers.tier.default(1),
    capacity: backendEntryMembers.capacity.default(0),
  })
  .superRefine((entry, context) => {
    if (isCloudType(entry.type) && entry.api_key_env === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['api_key_env'],
        message: `the name of a variable, required for the type ${entry.type}`,
      });
    }
  })
  .transform((entry) => ({
    name: entry.name,
    /** Without a trailing slash. */
    url: entry.url.replace(/\/+$/, ''),
    type: entry.type,
    /** Lower is preferred. */
    priority: entry.priority,
    apiKeyEnv: entry.api_key_env,
    /** Cloud types are open, everything of your own is restricted, unless the file says otherwise. */
    zone: entry.zone ?? (isCloudType(entry.type) ? ('open' as const) : 'restricted'),
    tier: entry.tier,
    /** Concurrent requests; 0 means not known. */
    capacity: entry.capacity,
  }));
