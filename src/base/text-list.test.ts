// Goal: a list of texts survives being written with commas. Method: edges as a table, then random lists.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../test/support/properties.ts';
import { commaList } from './text-list.ts';

test('a comma list is trimmed, blanks are dropped, order is kept, each item once', () => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    [' , ,\t,', []],
    ['a', ['a']],
    [' b, a ,,b , c,', ['b', 'a', 'c']],
    ['A,a', ['A', 'a']],
    ['two words, x', ['two words', 'x']],
  ];
  for (const [text, items] of rows) assert.deepEqual(commaList(text), items, JSON.stringify(text));
});

const item = fc
  .string({ minLength: 1 })
  .filter((text) => !text.includes(',') && text.trim() === text);

holds(
  'distinct items written with commas are read back as they were',
  fc.property(fc.uniqueArray(item), (items) => {
    assert.deepEqual(commaList(items.join(',')), items);
    assert.deepEqual(commaList(items.map((text) => ` ${text}\t`).join(',')), items);
  }),
);
