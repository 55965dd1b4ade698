import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textHash } from './text-hash.ts';

test('is FNV-1a of 32 bits: published values of ASCII texts', () => {
  // Fowler, Noll and Vo, draft-eastlake-fnv, appendix C.
  assert.equal(textHash(''), 0x811c9dc5);
  assert.equal(textHash('a'), 0xe40c292c);
  assert.equal(textHash('foobar'), 0xbf9cf968);
});

test('a seed makes another hash', () => {
  assert.notEqual(textHash('a', 1), textHash('a'));
});
