// Goal: each row of the platform's table A.1, with its edges.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildConnectionString,
  configPriority,
  createServiceConfig,
  defaultPoolSize,
  defaultRegion,
  isProduction,
  mergeConfigs,
  normalizeEnvName,
  parseFeatureFlags,
  validateConfig,
  validateEndpoint,
} from './service-config.ts';

const base = createServiceConfig('gateway');

test('a configuration made from a name has the defaults of the platform', () => {
  assert.deepEqual(base, {
    name: 'gateway',
    port: 8120,
    timeoutMs: 30_000,
    maxRetries: 3,
    region: 'us-east-1',
    poolSize: 32,
  });
  assert.equal(defaultRegion(), 'us-east-1');
  assert.equal(defaultPoolSize(), 32);
});

test('validation reports every violation and the first decides the code', () => {
  assert.equal(validateConfig(base).ok, true);
  for (const port of [1, 65_535]) assert.equal(validateConfig({ ...base, port }).ok, true);
  for (const port of [0, -1, 65_536, Number.NaN]) {
    const outcome = validateConfig({ ...base, port });
    assert.equal(outcome.ok ? '' : outcome.error.code, 'port_out_of_range');
    assert.match(outcome.ok ? '' : outcome.error.message, /gateway.*1\.\.65535/);
  }
  const all = validateConfig({ ...base, name: '', port: 0, timeoutMs: 0 });
  assert.equal(all.ok ? '' : all.error.code, 'empty_name');
  assert.equal(all.ok ? 0 : all.error.details.length, 3);
  const timeout = validateConfig({ ...base, timeoutMs: 0 });
  assert.equal(timeout.ok ? '' : timeout.error.code, 'zero_timeout');
});

test('overrides replace what they name; bad text and unknown keys change nothing', () => {
  const merged = mergeConfigs(
    base,
    new Map([
      ['port', '9000'],
      ['timeout_ms', '5'],
      ['max_retries', '0'],
      ['region', 'eu-west-1'],
      ['pool_size', '8'],
      ['colour', 'red'],
    ]),
  );
  assert.deepEqual(merged, {
    name: 'gateway',
    port: 9000,
    timeoutMs: 5,
    maxRetries: 0,
    region: 'eu-west-1',
    poolSize: 8,
  });
  for (const bad of ['', ' ', '-1', '1.5', '+5', '1e3', '0x10', 'abc', '65536', '9 ']) {
    assert.equal(mergeConfigs(base, new Map([['port', bad]])).port, 8120, bad);
  }
  const huge = new Map([['timeout_ms', '99999999999999999999']]);
  assert.equal(mergeConfigs(base, huge).timeoutMs, 30_000);
  assert.equal(base.port, 8120);
});

test('an endpoint begins with http:// or https://', () => {
  assert.equal(validateEndpoint('http://a'), true);
  assert.equal(validateEndpoint('https://a'), true);
  for (const bad of ['', 'ftp://a', 'ws://a', 'data:text/plain,http://a', ' http://a', 'http:/a']) {
    assert.equal(validateEndpoint(bad), false, bad);
  }
});

test('environment names are lower-cased and connection strings carry no credentials', () => {
  assert.equal(normalizeEnvName('PROD'), 'prod');
  assert.equal(buildConnectionString('db', 5432, 'forge'), 'postgres://db:5432/forge');
});

test('feature flags are trimmed, blanks dropped, order kept, each once', () => {
  assert.deepEqual(parseFeatureFlags(' b, a ,,b , c,'), ['b', 'a', 'c']);
  assert.deepEqual(parseFeatureFlags(''), []);
});

test('production is recognised in any case, and overlays are ordered', () => {
  for (const name of ['production', 'PROD', 'Prod']) assert.equal(isProduction(name), true);
  for (const name of ['', 'staging', 'product']) assert.equal(isProduction(name), false);
  const table: readonly (readonly [string, number])[] = [
    ['production', 100],
    ['PROD', 100],
    ['Staging', 75],
    ['development', 50],
    ['dev', 50],
    ['test', 25],
    ['', 0],
    ['canary', 0],
  ];
  for (const [name, want] of table) assert.equal(configPriority(name), want, name);
});
