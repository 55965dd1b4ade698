// Goal: the comparison answers as equality does. That its time tells nothing is by construction.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { constantTimeEqual } from './constant-time.ts';

test('equal texts are equal; another length, a change anywhere and another case are not', () => {
  const rows = [
    ['', '', true],
    ['abc', 'abc', true],
    ['abc', 'ab', false],
    ['ab', 'abc', false],
    ['', 'a', false],
    ['xbc', 'abc', false],
    ['abx', 'abc', false],
    ['ABC', 'abc', false],
    ['\u{1f511}', '\u{1f512}', false],
    ['a\0', 'a', false],
  ] as const;
  for (const [a, b, equal] of rows) assert.equal(constantTimeEqual(a, b), equal, `${a} ${b}`);
});

const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\u{1f511}'), maxLength: 4 });

holds(
  'the answer is that of ===',
  fc.property(text, text, (a, b) => {
    assert.equal(constantTimeEqual(a, b), a === b);
    assert.ok(constantTimeEqual(a, `${a}`));
  }),
);
