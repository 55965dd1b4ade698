// Goal: the description of a service keeps the rows of A.1. Method: tables of edges; then random
// overrides over random descriptions, for what a merge must not break.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import {
  createServiceConfig,
  defaultPoolSize,
  defaultRegion,
  mergeConfigs,
  type ServiceConfig,
  type ServiceConfigCode,
  validateConfig,
} from './service-config.ts';

const base = createServiceConfig('gateway');

test('a description made from a name has the defaults of the platform', () => {
  assert.deepEqual(base, {
    name: 'gateway',
    port: 8120,
    timeoutMs: 30_000,
    maxRetries: 3,
    region: 'us-east-1',
    poolSize: 32,
  });
  assert.equal(defaultRegion(), 'us-east-1');
  assert.ok(!defaultRegion().startsWith('eu-'), 'not an EU region');
  assert.equal(defaultPoolSize(), 32);
});

test('a description at its bounds is valid and handed back', () => {
  const bounds: readonly Partial<ServiceConfig>[] = [
    {},
    { port: 1 },
    { port: 65_535 },
    { timeoutMs: 1 },
    { maxRetries: 0 },
    { poolSize: 0 },
    { region: '' },
  ];
  for (const change of bounds) {
    const config = { ...base, ...change };
    assert.deepEqual(validateConfig(config), { ok: true, value: config }, JSON.stringify(change));
  }
});

test('a violation has a code and names the service, the field, the value and the bound', () => {
  const rows: readonly (readonly [Partial<ServiceConfig>, ServiceConfigCode, RegExp])[] = [
    [{ name: '' }, 'empty_name', /name is ""/],
    [{ port: 0 }, 'port_out_of_range', /'gateway': port is 0, but must be .*1\.\.65535/],
    [{ port: -1 }, 'port_out_of_range', /port is -1/],
    [{ port: 65_536 }, 'port_out_of_range', /port is 65536/],
    [{ port: 80.5 }, 'port_out_of_range', /port is 80\.5/],
    [{ port: Number.NaN }, 'port_out_of_range', /port is NaN/],
    [{ timeoutMs: 0 }, 'zero_timeout', /timeoutMs is 0, but must be .* at least 1/],
    [{ timeoutMs: -5 }, 'zero_timeout', /timeoutMs is -5/],
    [{ timeoutMs: Number.POSITIVE_INFINITY }, 'zero_timeout', /timeoutMs is Infinity/],
    [{ maxRetries: -1 }, 'retries_out_of_range', /maxRetries is -1/],
    [{ maxRetries: Number.NaN }, 'retries_out_of_range', /maxRetries is NaN/],
    [{ poolSize: 2 ** 53 }, 'pool_size_out_of_range', /poolSize is 9007199254740992/],
  ];
  for (const [change, code, words] of rows) {
    const outcome = validateConfig({ ...base, ...change });
    assert.ok(!outcome.ok, JSON.stringify(change));
    assert.equal(outcome.error.code, code, JSON.stringify(change));
    assert.match(outcome.error.message, words);
  }
});

test('validation reports every violation and the first decides the code', () => {
  const outcome = validateConfig({ ...base, name: '', port: 0, timeoutMs: 0 });
  assert.ok(!outcome.ok);
  assert.equal(outcome.error.code, 'empty_name');
  assert.deepEqual(
    outcome.error.details?.map(({ field, value }) => [field, value]),
    [
      ['name', ''],
      ['port', 0],
      ['timeoutMs', 0],
    ],
  );
  const two = validateConfig({ ...base, timeoutMs: 0, port: 0 });
  assert.equal(two.ok ? '' : two.error.code, 'port_out_of_range');
});

test('overrides replace what they name, unknown keys change nothing, the base is untouched', () => {
  const before = { ...base };
  const overrides = new Map([
    ['port', '9000'],
    ['timeout_ms', '5'],
    ['max_retries', '0'],
    ['region', 'eu-west-1'],
    ['pool_size', '8'],
    ['name', 'other'],
    ['timeoutMs', '7'],
    ['colour', 'red'],
  ]);
  assert.deepEqual(mergeConfigs(base, overrides), {
    name: 'gateway',
    port: 9000,
    timeoutMs: 5,
    maxRetries: 0,
    region: 'eu-west-1',
    poolSize: 8,
  });
  assert.deepEqual(base, before);
  assert.deepEqual(mergeConfigs(base, new Map()), base);
});

test('an override that is no unsigned integer in range is ignored', () => {
  const never = ['', ' ', '-1', '1.5', '+5', '1e3', '0x10', 'abc', '9 ', '99999999999999999999'];
  const fields = [
    ['port', 'port', ['0', '65536']],
    ['timeout_ms', 'timeoutMs', ['0']],
    ['max_retries', 'maxRetries', []],
    ['pool_size', 'poolSize', []],
  ] as const;
  for (const [key, field, beyond] of fields) {
    for (const text of [...never, ...beyond]) {
      const merged = mergeConfigs(base, new Map([[key, text]]));
      assert.equal(merged[field], base[field], `${key}=${text}`);
    }
  }
});

const keys = ['port', 'timeout_ms', 'max_retries', 'region', 'pool_size', 'name', 'other'];
const text = fc.oneof(fc.integer().map(String), fc.maxSafeNat().map(String), fc.string());
const overrides = fc
  .dictionary(fc.constantFrom(...keys), text)
  .map((given) => new Map(Object.entries(given)));

holds(
  'a valid description stays valid under any overrides, and merging twice changes nothing more',
  fc.property(overrides, (given) => {
    const merged = mergeConfigs(base, given);
    assert.ok(validateConfig(merged).ok);
    assert.deepEqual(mergeConfigs(merged, given), merged);
  }),
);
