// The configuration as others may see it: snake_case members, secrets redacted. Also the wire shapes
// of the configuration routes of the control API, used by the service and by the command line.

import { z } from 'zod';
import type { Json } from '../base/canonical.ts';
import { Secret } from '../base/secret.ts';
import { type Configuration, listOptions } from './options.ts';
import { snakeCase } from './variables.ts';

function shown(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (value instanceof Secret) return '[redacted]';
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object') return String(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [snakeCase(name), shown(member)]),
  );
}

/** The value of one option; the members of aliases and the like keep their own names. */
function shownOption(path: string, value: unknown): Json {
  if (path !== 'routing.aliases' || typeof value !== 'object' || value === null) {
    return shown(value);
  }
  return Object.fromEntries(Object.entries(value).map(([name, target]) => [name, String(target)]));
}

/** Option path -> value, in the order of the table. Safe to print and to digest. */
export function configurationView(config: Configuration): Record<string, Json> {
  const view: Record<string, Json> = {};
  for (const { path, members } of listOptions()) {
    let value: unknown = config;
    for (const name of members) {
      value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
    }
    view[path] = shownOption(path, value);
  }
  return view;
}

export const configurationFaultSchema = z.object({
  path: z.string(),
  value: z.string(),
  expected: z.string(),
  source: z.enum(['default', 'file', 'env', 'flag']),
  origin: z.string().optional(),
  line: z.int().optional(),
});

/** `GET /api/v1/config`. */
export const configurationViewSchema = z.object({
  /** Option path -> value; secrets read `[redacted]`. */
  options: z.record(z.string(), z.json()),
  sources: z.record(z.string(), z.enum(['default', 'file', 'env', 'flag'])),
  file: z.string().nullable(),
});

export const configurationCheckRequestSchema = z.strictObject({ yaml: z.string().max(1_048_576) });

/** `POST /api/v1/config/check`: 200 also when it does not hold; `valid` says which. */
export const configurationCheckSchema = z.object({
  valid: z.boolean(),
  faults: z.array(configurationFaultSchema),
  warnings: z.array(z.string()),
});

/** `POST /api/v1/config/reload`: 422 `config_invalid` with the faults when it does not hold. */
export const configurationReloadSchema = z.object({
  /** Options that changed and are in force. */
  applied: z.array(z.string()),
  /** Options that changed and wait for the next start. */
  needs_restart: z.array(z.string()),
  warnings: z.array(z.string()),
});
