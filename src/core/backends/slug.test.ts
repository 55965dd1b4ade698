// Goal: ids are valid, stable and told apart.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { codePoint } from '../../../test/support/code-points.ts';
import { slugOf, uniqueSlug } from './slug.ts';

test('a slug keeps letters and digits and joins the rest by one hyphen', () => {
  assert.equal(slugOf('Box 2 (vLLM)'), 'box-2-vllm');
  assert.equal(slugOf('--a__b--'), 'a-b');
  assert.equal(slugOf('日本'), 'backend');
  assert.equal(slugOf(''), 'backend');
  assert.equal(slugOf(`${'a'.repeat(62)} b`), 'a'.repeat(62));
});

test('a taken slug gets six digits of the URL digest, once', () => {
  assert.equal(
    uniqueSlug('box', 'abcdef0123', () => false),
    'box',
  );
  assert.equal(
    uniqueSlug('box', 'abcdef0123', (slug) => slug === 'box'),
    'box-abcdef',
  );
  assert.equal(
    uniqueSlug('box', 'abcdef0123', () => true),
    undefined,
  );
  const long = uniqueSlug(
    'a'.repeat(80),
    'abcdef',
    (slug) => slug.length === 63 && !slug.includes('-'),
  );
  assert.equal(long, `${'a'.repeat(56)}-abcdef`);
});

test('any name gives a slug of the allowed alphabet and length', () => {
  fc.assert(
    fc.property(fc.string({ unit: codePoint, maxLength: 200 }), (name) => {
      assert.match(slugOf(name), /^[a-z0-9-]{1,63}$/);
      assert.match(
        uniqueSlug(name, '012345', (s) => s === slugOf(name)) ?? '',
        /^[a-z0-9-]{1,63}$/,
      );
    }),
    { seed: 7 },
  );
});
