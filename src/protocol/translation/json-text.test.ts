// Goal: JSON of others costs a bounded amount and keeps its numbers. Method: examples at the bounds.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { boundedObject, boundedValue } from './json-text.ts';

const of = (text: string) => boundedObject(Buffer.from(text));

it('what is no object, or nested too deeply, is none', () => {
  for (const text of [
    '',
    '[1]',
    '5',
    '{',
    '{"a":1}x',
    `{"a":${'['.repeat(64)}${']'.repeat(64)}}`,
  ]) {
    assert.equal(of(text), undefined, text.slice(0, 20));
  }
  assert.deepEqual(boundedValue(Buffer.from('[1]')), [1]);
});

it('a number that no double holds is passed on digit by digit', () => {
  for (const text of [
    '{"id":12345678901234567890}',
    '{"a":[0.12345678901234567891,{"b":-9007199254740993}]}',
    '{"text":"12345678901234567890"}',
  ]) {
    assert.equal(JSON.stringify(of(text)), text);
  }
});
