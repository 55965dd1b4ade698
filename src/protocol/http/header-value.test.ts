import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { codePoint } from '../../../test/support/code-points.ts';
import { acceptRequestId, sanitizeHeaderValue } from './header-value.ts';

it('sanitizeHeaderValue strips CR and LF and shows other odd characters as a question mark', () => {
  assert.equal(sanitizeHeaderValue('a\r\nSet-Cookie: b'), 'aSet-Cookie: b');
  assert.equal(sanitizeHeaderValue('Zürich 🚀\u001b[2J\u0000'), 'Z?rich ??[2J?');
  assert.equal(sanitizeHeaderValue('  plain\t'), 'plain');
});

it('what sanitizeHeaderValue gives is a header value that stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: codePoint }), (text) => {
      const value = sanitizeHeaderValue(text);
      assert.match(value, /^[\t\x20-\x7e]*$/);
      assert.equal(sanitizeHeaderValue(value), value);
    }),
    { seed: 20_260_103, numRuns: 2000 },
  );
});

it('case 191: a request id of other characters or lengths is not taken', () => {
  assert.equal(acceptRequestId('aB3._-'), 'aB3._-');
  for (const bad of [undefined, '', 'a b', 'a\r\nb', 'a'.repeat(65), 'ä', 'a/b', 'a\n']) {
    assert.equal(acceptRequestId(bad), undefined);
  }
});
