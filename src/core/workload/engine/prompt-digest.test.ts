// Goal: prompts are counted and told apart as the prefix cache needs it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embeddingVector, tokenText } from './generated-content.ts';
import { digestPrompt } from './prompt-digest.ts';

test('four characters are one token, and every 64 make a block', () => {
  const digest = digestPrompt('x'.repeat(130), 'salt');
  assert.equal(digest.tokens, 33);
  assert.equal(digest.blocks.length, 2);
  assert.equal(digestPrompt('', 'salt').tokens, 1);
});

test('prompts share blocks exactly as far as they are equal', () => {
  const a = digestPrompt(`${'x'.repeat(64)}${'y'.repeat(64)}${'z'.repeat(64)}`, 'salt').blocks;
  const b = digestPrompt(`${'x'.repeat(64)}${'Y'.repeat(64)}${'z'.repeat(64)}`, 'salt').blocks;
  assert.equal(a[0], b[0]);
  assert.notEqual(a[1], b[1]);
  assert.notEqual(a[2], b[2]);
  assert.notEqual(digestPrompt('x'.repeat(64), 'other').blocks[0], a[0]);
});

test('blocks of many different prompts do not collide', () => {
  const seen = new Set<number>();
  for (let i = 0; i < 20_000; i++) {
    for (const block of digestPrompt(`${i}`.padEnd(64, '.'), 'salt').blocks) seen.add(block);
  }
  assert.equal(seen.size, 20_000);
});

test('generated text has four characters a token and can be cut anywhere', () => {
  const whole = tokenText(42, 0, 100);
  assert.equal(whole.length, 400);
  assert.equal(tokenText(42, 0, 37) + tokenText(42, 37, 100), whole);
  assert.notEqual(tokenText(43, 0, 100), whole);
});

test('an embedding has length one and depends on the digest alone', () => {
  const vector = embeddingVector(7, 384);
  assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-9);
  assert.deepEqual(embeddingVector(7, 384), vector);
  assert.notDeepEqual(embeddingVector(8, 384), vector);
});
