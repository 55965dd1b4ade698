// The description of one service instance and its helpers: the rows of the platform specification
// A.1, held here as pure functions for the deterministic core. The product's own loader is load.ts,
// which reads lists with `parseFeatureFlags` and calls nothing else of this file; where the two
// differ (bad text is ignored here, refused there) each follows its own rule on purpose.

import { err, ok, type Result } from '../base/result.ts';

export type ServiceConfig = {
  readonly name: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly region: string;
  readonly poolSize: number;
};

export type ServiceConfigCode = 'empty_name' | 'port_out_of_range' | 'zero_timeout';

/** The first violation decides `code`; `details` holds the words of all of them. */
export type ServiceConfigError = {
  readonly code: ServiceConfigCode;
  readonly message: string;
  readonly details: readonly string[];
};

const largestPort = 65_535;

export function defaultRegion(): string {
  return 'us-east-1';
}

export function defaultPoolSize(): number {
  return 32;
}

/** A service with every default of the platform: port 8120, 30 000 ms, 3 retries. */
export function createServiceConfig(name: string): ServiceConfig {
  return {
    name,
    port: 8120,
    timeoutMs: 30_000,
    maxRetries: 3,
    region: defaultRegion(),
    poolSize: defaultPoolSize(),
  };
}

/** Reports every violation. Port within 1..65535, name not empty, timeout above 0. */
export function validateConfig(config: ServiceConfig): Result<ServiceConfig, ServiceConfigError> {
  const violations: [ServiceConfigCode, string][] = [];
  if (config.name === '') violations.push(['empty_name', 'the name is empty']);
  if (!(config.port >= 1 && config.port <= largestPort)) {
    violations.push([
      'port_out_of_range',
      `service '${config.name}': port ${config.port} is outside 1..${largestPort}`,
    ]);
  }
  if (!(config.timeoutMs > 0)) {
    violations.push([
      'zero_timeout',
      `service '${config.name}': timeout ${config.timeoutMs} ms must be above 0`,
    ]);
  }
  const first = violations[0];
  if (first === undefined) return ok(config);
  const details = violations.map(([, words]) => words);
  return err({ code: first[0], message: details.join('; '), details });
}

/** The number that the text is, if it is an unsigned integer within [min, max]. */
function unsigned(text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

/**
 * `base` with the overrides `port`, `timeout_ms`, `max_retries`, `region` and `pool_size`. Text
 * that is not an unsigned integer in range is ignored, and so are unknown keys.
 */
export function mergeConfigs(
  base: ServiceConfig,
  overrides: ReadonlyMap<string, string>,
): ServiceConfig {
  const most = Number.MAX_SAFE_INTEGER;
  return {
    name: base.name,
    port: unsigned(overrides.get('port'), 1, largestPort) ?? base.port,
    timeoutMs: unsigned(overrides.get('timeout_ms'), 1, most) ?? base.timeoutMs,
    maxRetries: unsigned(overrides.get('max_retries'), 0, most) ?? base.maxRetries,
    region: overrides.get('region') ?? base.region,
    poolSize: unsigned(overrides.get('pool_size'), 1, most) ?? base.poolSize,
  };
}

/** Does the text begin with `http://` or `https://`? */
export function validateEndpoint(url: string): boolean {
  return url.startsWith('http://') || url.startsWith('https://');
}

export function normalizeEnvName(name: string): string {
  return name.toLowerCase();
}

/** Without credentials: those come from secrets, never from here. */
export function buildConnectionString(host: string, port: number, database: string): string {
  return `postgres://${host}:${port}/${database}`;
}

/** Split on comma, trimmed, blanks dropped, each flag once at its first place. */
export function parseFeatureFlags(text: string): string[] {
  const flags = text.split(',').map((flag) => flag.trim());
  return [...new Set(flags.filter((flag) => flag !== ''))];
}

export function isProduction(env: string): boolean {
  return ['production', 'prod'].includes(normalizeEnvName(env));
}

/** Orders overlays of environments: the higher one wins. */
export function configPriority(env: string): number {
  switch (normalizeEnvName(env)) {
    case 'production':
    case 'prod':
      return 100;
    case 'staging':
      return 75;
    case 'development':
    case 'dev':
      return 50;
    case 'test':
      return 25;
    default:
      return 0;
  }
}
