// Goal: whatever the data of an event holds, each value has a line, and the lines have an end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evidenceLines } from './evidence.ts';

test('members of members are named by their path', () => {
  const lines = evidenceLines({ burst: 2, burn: { hour: 7.1, six: null }, ids: ['a', 'b'] });
  assert.deepEqual(lines, [
    { name: 'burst', value: '2' },
    { name: 'burn.hour', value: '7.1' },
    { name: 'burn.six', value: 'null' },
    { name: 'ids.0', value: 'a' },
    { name: 'ids.1', value: 'b' },
  ]);
});

test('empty, hostile and deep data are shown as text', () => {
  assert.deepEqual(evidenceLines({}), []);
  assert.deepEqual(evidenceLines({ a: {}, b: '<script>' }), [
    { name: 'a', value: '{}' },
    { name: 'b', value: '<script>' },
  ]);
  const deep = { a: { b: { c: { d: { e: 1 } } } } };
  assert.deepEqual(evidenceLines(deep), [{ name: 'a.b.c.d', value: '{"e":1}' }]);
});

test('a thousand values end in a line that says there are more', () => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`m${n}`, n]));
  const lines = evidenceLines(many);
  assert.equal(lines.length, 101);
  assert.match(lines.at(-1)?.value ?? '', /more/);
});
