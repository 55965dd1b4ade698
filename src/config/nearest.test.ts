import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearest } from './nearest.ts';

test('swapped neighbours are one edit', () => {
  assert.equal(editDistance('status', 'statsu'), 1);
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('abc', 'abc'), 0);
  assert.equal(editDistance('kitten', 'sitting'), 3);
});

test('the nearest word is offered, a distant one is not', () => {
  const known = ['status', 'stop', 'serve', 'backends'];
  assert.equal(nearest('statsu', known), 'status');
  assert.equal(nearest('BACKEND', known), 'backends');
  assert.equal(nearest('back', known), 'backends');
  assert.equal(nearest('zzzzzz', known), undefined);
});
