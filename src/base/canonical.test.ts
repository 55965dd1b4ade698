// Rule RD10: one text for one value. The text is compared with JSON.parse for meaning and with itself
// under every order of members.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AssertionFailed } from './assert.ts';
import { canonicalJson, type Json } from './canonical.ts';

test('members are sorted by code unit at every depth, and absent ones are left out', () => {
  const value = { b: 1, a: { z: null, Z: true, é: 'x' }, c: undefined };
  assert.equal(canonicalJson(value), '{"a":{"Z":true,"z":null,"é":"x"},"b":1}');
});

test('numbers are in shortest round-trip form, and negative zero is zero', () => {
  assert.equal(canonicalJson([1.0, 1e21, 0.1, -0, 5e-324]), '[1,1e+21,0.1,0,5e-324]');
});

test('what JSON cannot say is a bug of the caller', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    assert.throws(() => canonicalJson(value), AssertionFailed);
    assert.throws(() => canonicalJson({ inner: [value] }), AssertionFailed);
  }
});

test('the order in which members were written does not show, and the meaning is kept', () => {
  const key = fc.string({ minLength: 1 }).filter((name) => name !== '__proto__');
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(key, fc.jsonValue()), { selector: ([k]) => k }),
      (members) => {
        const forward = Object.fromEntries(members) as { readonly [key: string]: Json };
        const backward = Object.fromEntries([...members].reverse()) as typeof forward;
        const text = canonicalJson(forward);
        assert.equal(text, canonicalJson(backward));
        assert.equal(canonicalJson(JSON.parse(text) as Json), text);
      },
    ),
    { seed: 7, numRuns: 300 },
  );
});
