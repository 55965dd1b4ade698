// One entry of `backends`: a model server that the operator names in the file.
// Its name becomes its id, so names differ; its credential is only ever the name of a variable.

import { BlockList, isIP } from 'node:net';
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

/** Never contacted, whoever asks: they name nobody, everybody, or the metadata service of a cloud. */
const refusedIpv4 = new BlockList();
for (const [network, length] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
] as const) {
  refusedIpv4.addSubnet(network, length, 'ipv4');
}

/** Multicast, link-local, site-local, the metadata of one cloud, and what hides an IPv4 address. */
const refusedIpv6 = new BlockList();
for (const [network, length] of [
  ['ff00::', 8],
  ['fe80::', 10],
  ['fec0::', 10],
  ['fd00:ec2::', 32],
  ['::', 96],
  ['::ffff:0:0', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 32],
  ['2002::', 16],
  ['2001::', 32],
] as const) {
  refusedIpv6.addSubnet(network, length, 'ipv6');
}

const metadataNames: readonly string[] = [
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.azure.com',
  'metadata.azure.internal',
  'metadata.platformequinix.com',
  'metadata.packet.net',
  'metadata.tencentyun.com',
];

/** May a backend be at this host, an address or a name? Names are judged again when resolved. */
function isBackendHost(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '');
  const version = isIP(address);
  if (version === 4) return !refusedIpv4.check(address, 'ipv4');
  if (version === 6) return address === '::1' || !refusedIpv6.check(address, 'ipv6');
  const areLabels = host
    .split('.')
    .every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  return areLabels && host.length <= 253 && !metadataNames.includes(host);
}

/** A path without `//`, `.` and `..`, which programs resolve differently. */
function isPlainPath(path: string): boolean {
  const segments = path.replace(/\/+$/, '').split('/').slice(1);
  return segments.every((segment) => !['', '.', '..'].includes(segment));
}

/**
 * A base URL that means to every parser what it says: http or https, an ASCII host, no credentials,
 * query, fragment, escape or unusual spelling of an address, and at no address that is always
 * refused (security 2.5). The start applies the same rule from core, which config may not import.
 */
function isBackendUrl(text: string): boolean {
  const parts =
    /^https?:\/\/(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::[1-9]\d{0,4})?(\/[A-Za-z0-9._~/-]*)?$/i.exec(text);
  const host = parts?.[1]?.toLowerCase();
  if (host === undefined || !URL.canParse(text)) return false;
  // A host that the parser prints otherwise was an unusual spelling of an address.
  return new URL(text).hostname === host && isBackendHost(host) && isPlainPath(parts?.[2] ?? '');
}

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
