// One validated description of a service instance (platform specification A.1). The loader of the
// product is src/config; where the two differ each follows its own rule on purpose: an override
// with bad text is ignored here and refused there.
//
// What a number may be stands in one table, which the merge and the validation both read. So the
// merge of a valid description is valid, whatever the overrides say.

import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';

export type ServiceConfig = {
  readonly name: string;
  readonly port: number;
  /** Above 0. */
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly region: string;
  /** Connections. */
  readonly poolSize: number;
};

type NumberField = 'port' | 'timeoutMs' | 'maxRetries' | 'poolSize';
type NumberCode =
  | 'port_out_of_range'
  | 'zero_timeout'
  | 'retries_out_of_range'
  | 'pool_size_out_of_range';
export type ServiceConfigCode = 'empty_name' | NumberCode;

type NumberRule = {
  readonly field: NumberField;
  /** The key under which an override replaces the field. */
  readonly key: string;
  readonly least: number;
  readonly most: number;
  readonly bound: string;
  readonly code: NumberCode;
};

/** In the order in which violations are reported. */
const numberRules: readonly NumberRule[] = [
  {
    field: 'port',
    key: 'port',
    least: 1,
    most: 65_535,
    bound: 'a whole number within 1..65535',
    code: 'port_out_of_range',
  },
  {
    field: 'timeoutMs',
    key: 'timeout_ms',
    least: 1,
    most: Number.MAX_SAFE_INTEGER,
    bound: 'a whole number of at least 1',
    code: 'zero_timeout',
  },
  {
    field: 'maxRetries',
    key: 'max_retries',
    least: 0,
    most: Number.MAX_SAFE_INTEGER,
    bound: 'a whole number of at least 0',
    code: 'retries_out_of_range',
  },
  {
    field: 'poolSize',
    key: 'pool_size',
    least: 0,
    most: Number.MAX_SAFE_INTEGER,
    bound: 'a whole number of at least 0',
    code: 'pool_size_out_of_range',
  },
];

export function defaultRegion(): string {
  return 'us-east-1';
}

export function defaultPoolSize(): number {
  return 32;
}

/** A service with every default of the platform (specification 0.9). */
export function createServiceConfig(name: string): ServiceConfig {
  return Object.freeze({
    name,
    port: 8120,
    timeoutMs: 30_000,
    maxRetries: 3,
    region: defaultRegion(),
    poolSize: defaultPoolSize(),
  });
}

function admits({ least, most }: NumberRule, value: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

/** The description itself, or all its violations, of which the first decides the code. */
export function validateConfig(
  config: ServiceConfig,
): Result<ServiceConfig, Fault<ServiceConfigCode>> {
  const codes: ServiceConfigCode[] = [];
  const violations: Violation[] = [];
  if (config.name === '') {
    codes.push('empty_name');
    violations.push({ field: 'name', value: '', bound: 'a name of at least one character' });
  }
  for (const rule of numberRules) {
    const value = config[rule.field];
    if (admits(rule, value)) continue;
    codes.push(rule.code);
    violations.push({ field: rule.field, value, bound: rule.bound });
  }
  const [code] = codes;
  return code === undefined
    ? ok(config)
    : err(invalid(code, `service '${config.name}'`, violations));
}

/** The number that an override stands for; undefined when the base value is to stay. */
function overriding(rule: NumberRule, text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return admits(rule, value) ? value : undefined;
}

/**
 * `base` with the overrides `port`, `timeout_ms`, `max_retries`, `region` and `pool_size`. Text
 * that is not an unsigned integer in range is ignored, and so are unknown keys.
 */
export function mergeConfigs(
  base: ServiceConfig,
  overrides: ReadonlyMap<string, string>,
): ServiceConfig {
  const numbers: { [Field in NumberField]?: number } = {};
  for (const rule of numberRules) {
    const value = overriding(rule, overrides.get(rule.key));
    if (value !== undefined) numbers[rule.field] = value;
  }
  const region = overrides.get('region') ?? base.region;
  return Object.freeze({ ...base, ...numbers, region });
}
