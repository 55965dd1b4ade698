// Goal: the rows of A.1 about environments, with each edge they name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configPriority, isProduction, normalizeEnvName } from './environment.ts';

test('names of environments are lower-cased', () => {
  assert.equal(normalizeEnvName('PROD'), 'prod');
  assert.equal(normalizeEnvName('Staging'), 'staging');
  assert.equal(normalizeEnvName(''), '');
});

test('production is recognised in any case, and nothing near it', () => {
  for (const name of ['production', 'PROD', 'Prod', 'PRODUCTION']) {
    assert.equal(isProduction(name), true, name);
  }
  for (const name of ['', 'staging', 'product', 'production ', 'preprod']) {
    assert.equal(isProduction(name), false, name);
  }
});

test('overlays are ordered from production down to unknown environments', () => {
  const table: readonly (readonly [string, number])[] = [
    ['production', 100],
    ['prod', 100],
    ['PROD', 100],
    ['Staging', 75],
    ['development', 50],
    ['DEV', 50],
    ['test', 25],
    ['', 0],
    ['canary', 0],
  ];
  for (const [name, priority] of table) assert.equal(configPriority(name), priority, name);
});
