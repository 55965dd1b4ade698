// Goal: prompts share blocks exactly as far as their ids are equal. Method: prompts written here.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefixKeyOf, promptBlocks } from './prompt-prefix.ts';

test('an id is 32 blocks, and only whole blocks inside the prompt count', () => {
  assert.equal(promptBlocks([5, 6], 1024).length, 64);
  assert.equal(promptBlocks([5, 6], 1023).length, 63);
  assert.equal(promptBlocks([5], 4000).length, 32);
  assert.deepEqual(promptBlocks([], 1024), []);
});

test('equal ids give equal blocks, different ids none', () => {
  const [a, b] = [promptBlocks([1, 2], 1024), promptBlocks([1, 3], 1024)];
  assert.deepEqual(a.slice(0, 32), b.slice(0, 32));
  assert.equal(new Set([...a, ...b]).size, 96);
});

test('prompts with the same beginning have one key, and one that shares nothing has none', () => {
  assert.equal(prefixKeyOf([7, 8]), prefixKeyOf([7, 9]));
  assert.notEqual(prefixKeyOf([7, 8]), prefixKeyOf([8, 7]));
  assert.equal(prefixKeyOf([]), undefined);
});
