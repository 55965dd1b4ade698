// The table of all options. Sections are the sections of the file; a member is an option or a
// further section. Everything that needs to know "which options are there" walks this one value.

import { batchingOptions } from './batching-options.ts';
import { breakerOptions } from './breaker-options.ts';
import { budgetOptions, priceOptions } from './budget-options.ts';
import {
  backendsOption,
  discoveryOptions,
  fleetAdviceOptions,
  healthCheckOptions,
  lifecycleOptions,
  limitsOptions,
  upstreamOptions,
} from './fleet-options.ts';
import {
  choice,
  filePath,
  integer,
  type Option,
  secretUrl,
  switched,
  switchedOrAuto,
} from './option.ts';
import { queueOptions } from './queue-options.ts';
import { qualityOptions, routingOptions } from './routing-options.ts';
import { serverOptions } from './server-options.ts';
import { decisionOptions, policyOptions } from './trust-options.ts';
import { flagOfPath, snakeCase, variableOfPath } from './variables.ts';

const optionTable = {
  server: serverOptions,
  database: {
    url: secretUrl({
      schemes: ['postgres', 'postgresql'],
      variables: ['DATABASE_URL'],
      words: 'Your PostgreSQL, 15 or later. Not set: a server of our own in the data directory.',
    }),
    maxConnections: integer({
      fallback: 32,
      min: 1,
      max: 1000,
      words: 'Connections to the database at most, opened when needed.',
    }),
  },
  security: {
    pepperFile: filePath({
      words:
        'File (mode 0600) with the secret that is hashed with every API key. Not set: one in the data directory.',
    }),
  },
  limits: limitsOptions,
  discovery: discoveryOptions,
  healthCheck: healthCheckOptions,
  lifecycle: lifecycleOptions,
  fleet: fleetAdviceOptions,
  backends: backendsOption,
  routing: routingOptions,
  quality: qualityOptions,
  queue: queueOptions,
  batching: batchingOptions,
  breaker: breakerOptions,
  upstream: upstreamOptions,
  budget: budgetOptions,
  prices: priceOptions,
  policy: policyOptions,
  decisions: decisionOptions,
  metrics: {
    public: switched({
      fallback: false,
      words: 'Show /metrics and /api/docs to everybody; else to loopback and credentials only.',
    }),
  },
  logging: {
    level: choice({
      of: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
      fallback: 'info',
      flag: '--log-level',
      variables: ['TENSORFORGE_LOG_LEVEL'],
      words: 'Least severity that is logged.',
    }),
    format: choice({
      of: ['pretty', 'json'],
      fallback: 'pretty',
      flag: '--log-format',
      variables: ['TENSORFORGE_LOG_FORMAT'],
      words: 'Lines for people or for machines.',
    }),
  },
  dashboard: {
    enabled: switched({ fallback: true, words: 'Serve the dashboard.' }),
  },
  simulate: switchedOrAuto({
    flag: '--simulate',
    words: 'Start three simulated engines; auto starts them when no engine was found.',
  }),
} as const;

// biome-ignore lint/suspicious/noExplicitAny: a table holds options of every value type at once.
type AnyOption = Option<any>;
type OptionTable = { readonly [name: string]: AnyOption | OptionTable };

type ValuesOf<T> =
  T extends Option<infer Value> ? Value : { readonly [Name in keyof T]: ValuesOf<T[Name]> };

/** The configuration as the program reads it: members in camelCase, durations in the named unit. */
export type Configuration = ValuesOf<typeof optionTable>;

export type ListedOption = {
  /** `server.request_timeout_seconds` */
  readonly path: string;
  /** Member names down the typed configuration: `['server', 'requestTimeoutSeconds']`. */
  readonly members: readonly string[];
  readonly option: Option<unknown>;
  /** Undefined for secrets and for what only the file can hold. */
  readonly flag: string | undefined;
  /** The derived variable first, then the short ones. Empty for what only the file can hold. */
  readonly variables: readonly string[];
};

function isOption(entry: AnyOption | OptionTable): entry is AnyOption {
  return entry['kind'] === 'option';
}

function list(table: OptionTable, members: readonly string[]): ListedOption[] {
  const found: ListedOption[] = [];
  for (const [name, entry] of Object.entries(table)) {
    const here = [...members, name];
    if (!isOption(entry)) {
      found.push(...list(entry, here));
      continue;
    }
    const path = here.map(snakeCase).join('.');
    const isText = entry.fromText !== undefined;
    found.push({
      path,
      members: here,
      option: entry,
      flag: isText && !entry.isSecret ? (entry.flag ?? flagOfPath(path)) : undefined,
      variables: isText ? [variableOfPath(path), ...entry.variables] : [],
    });
  }
  return found;
}

/** Every option in the order of the table. */
export function listOptions(): readonly ListedOption[] {
  return list(optionTable, []);
}
