// Goal: the words of a fault name the field, the value met and the bound, whatever the value is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fault, invalid } from './fault.ts';

test('each violation is told with its value and its bound', () => {
  const found = invalid('invalid_thing', 'thing "a"', [
    { field: 'size', value: Number.NaN, bound: 'at least 1' },
    { field: 'name', value: '', bound: 'not empty' },
    { field: 'parent', value: undefined, bound: 'a thing' },
    { field: 'shape', value: [1, 2], bound: 'flat' },
  ]);
  assert.equal(found.code, 'invalid_thing');
  assert.equal(
    found.message,
    'thing "a": size is NaN, but must be at least 1; name is "", but must be not empty; ' +
      'parent is undefined, but must be a thing; shape is object, but must be flat',
  );
  assert.equal(found.details?.length, 4);
});

test('a long text is shortened, and a fault without violations has no details', () => {
  const long = invalid('x', 's', [{ field: 'f', value: 'y'.repeat(5000), bound: 'short' }]);
  assert.ok(long.message.length < 150);
  assert.deepEqual(fault('x', 'words'), { code: 'x', message: 'words' });
});
