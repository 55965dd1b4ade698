// Goal: the rows of A.1 about addresses, with each edge they name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildConnectionString, validateEndpoint } from './address.ts';

test('an endpoint begins with http:// or https://', () => {
  for (const good of ['http://a', 'https://a', 'http://']) assert.ok(validateEndpoint(good), good);
  const bad = ['', 'ftp://a', 'ws://a', 'data:text/plain,http://a', ' http://a', 'http:/a', 'bare'];
  for (const url of bad) assert.ok(!validateEndpoint(url), url);
});

test('a connection string carries no credentials', () => {
  assert.equal(buildConnectionString('db', 5432, 'forge'), 'postgres://db:5432/forge');
});
