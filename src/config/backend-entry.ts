// One entry of `backends`: a model server that the operator names in the file.
// Its name becomes its id, so names differ; its credential is only ever the name of a variable.

import { z } from 'zod';
import { isBackendKeyVariable } from './variables.ts';

/** Held equal to the wire's list by a test: config may not import it. */
export const backendTypes = [
  'ollama',
  'vllm',
  'llamacpp',
  'exo',
  'openai',
  'generic',
  'lmstudio',
  'anthropic',
  'google',
] as const;
const cloudTypes: readonly string[] = ['openai', 'anthropic', 'google'];

/**
 * A base URL that means to every parser what it says: http or https, an ASCII host, no credentials,
 * query, fragment, escape or unusual spelling of an address (security 2.5).
 */
export function isBackendUrl(text: string): boolean {
  if (!/^https?:\/\/(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?(\/[A-Za-z0-9._~/-]*)?$/i.test(text)) {
    return false;
  }
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.port === '0' || url.username !== '' || url.search !== '' || url.hash !== '') return false;
  const written = /^https?:\/\/(\[[^\]]*\]|[^:/]*)/i.exec(text)?.[1]?.toLowerCase();
  return url.hostname === written;
}

const nameWords = 'a text of 1 to 128 characters';
const urlWords = 'an http:// or https:// base URL without credentials, query, fragment or escapes';
const keyWords = 'TENSORFORGE_BACKEND_KEY_ and a name, or the well-known variable of a provider';
const priorityWords = 'an integer from -1000 to 1000';
const tierWords = 'an integer from 1 to 5';
const capacityWords = 'an integer from 0 to 1000000';

/** The members of one entry; each carries the English of what it takes. */
export const backendEntryMembers = {
  name: z.string(nameWords).trim().min(1, nameWords).max(128, nameWords),
  url: z.string(urlWords).max(2048, urlWords).refine(isBackendUrl, urlWords),
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
    if (cloudTypes.includes(entry.type) && entry.api_key_env === undefined) {
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
    zone: entry.zone ?? (cloudTypes.includes(entry.type) ? ('open' as const) : 'restricted'),
    tier: entry.tier,
    /** Concurrent requests; 0 means not known. */
    capacity: entry.capacity,
  }));

export type BackendEntry = z.output<typeof backendEntrySchema>;
