// Goal: what is carried keeps every character, and is found where parsers find it.
// Method: any JSON value, printed and looked at again; odd texts by hand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { isObject } from '../openai/member-check.ts';
import { jsonText, objectText, RawJson } from './raw-json.ts';

holds(
  'every member and element is found with its own characters',
  fc.property(fc.jsonValue({ maxDepth: 4 }), fc.boolean(), (value, isSpaced) => {
    const text = JSON.stringify(value, null, isSpaced ? 2 : undefined);
    const raw = new RawJson(text);
    assert.equal(raw.text, text);
    assert.equal(jsonText({ raw }), `{"raw":${text}}`);
    if (isObject(value)) {
      for (const [name, member] of Object.entries(value)) {
        assert.deepEqual(JSON.parse(raw.member(name)?.text ?? 'null'), member);
      }
    } else if (Array.isArray(value)) {
      value.forEach((element, at) => {
        assert.deepEqual(JSON.parse(raw.element(at)?.text ?? 'null'), element);
      });
      assert.equal(raw.element(value.length), undefined);
    }
  }),
);

test('of a doubled member the last one counts, and escapes in its name are read', () => {
  const raw = new RawJson('{"a":1,"a" : [1.0] ,"\\u00e9":2.50}');
  assert.equal(raw.member('a')?.text, '[1.0]');
  assert.equal(raw.member('a')?.element(0)?.text, '1.0');
  assert.equal(raw.member('é')?.text, '2.50');
  assert.equal(raw.element(0), undefined);
});

test('values around it are printed, undefined members left out', () => {
  const value = { a: undefined, b: [new RawJson('1.0'), null], c: { d: 'é"' } };
  assert.equal(jsonText(value), '{"b":[1.0,null],"c":{"d":"é\\""}}');
});

test('arguments are one object of bounded cost, whatever their numbers', () => {
  for (const text of ['{}', ' {"a":1e400} ', '{"a":{"b":[]}}']) {
    assert.equal(objectText(text)?.text, text.trim(), text);
  }
  const deep = `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`;
  for (const text of ['', '[]', '1', '{', '{"a":}', '{}{}', '{"a":01}', deep]) {
    assert.equal(objectText(text), undefined, text);
  }
});
