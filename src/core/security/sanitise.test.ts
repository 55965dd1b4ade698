import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { sanitisePath, sanitizeHeader } from './sanitise.ts';

it('a sanitised path keeps its segments and loses every way out', () => {
  const expected: readonly (readonly [string, string])[] = [
    ['a/b.txt', 'a/b.txt'],
    ['../../etc/passwd', 'etc/passwd'],
    ['....//etc', '..../etc'],
    ['/a//b/./c/', 'a/b/c'],
    ['a\\..\\b', 'a/b'],
    ['%2e%2e%2fa', 'a'],
    ['%252e%252e/a', '%2e%2e/a'],
    ['a/./b/..//c\\d', 'a/b/c/d'],
    ['/', ''],
    ['..', ''],
    ['', ''],
  ];
  for (const [path, clean] of expected)
    assert.deepEqual(sanitisePath(path), { ok: true, value: clean });
});

it('a path with NUL or a bad escape is refused', () => {
  for (const path of ['a\0b', 'a%00b', '%zz', '%c0%af']) {
    const result = sanitisePath(path);
    assert.ok(!result.ok);
    assert.equal(result.error.code, 'invalid_path');
  }
});

it('a sanitised path is relative and has no parent segment', () => {
  const piece = fc.constantFrom('/', '\\', '..', '.', 'a', '%2e', '%2f', '%5C', '....//', '%25');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const result = sanitisePath(pieces.join(''));
      assert.ok(result.ok);
      assert.ok(!result.value.startsWith('/'));
      assert.ok(!result.value.includes('\\'));
      assert.ok(!result.value.split('/').includes('..'));
    }),
    { seed: 20_260_106, numRuns: 3000 },
  );
});

const path = fc
  .array(
    fc.oneof(fc.constantFrom('/', '\\', '..', '.', '....//', '../', '..\\', '%2e'), fc.string()),
  )
  .map((pieces) => pieces.join(''));

holds(
  'a clean path stays clean: escaped for another journey, or as it is where it holds no escape',
  fc.property(path, (dirty) => {
    const result = sanitisePath(dirty);
    if (!result.ok) return;
    const again = sanitisePath(result.value.replaceAll('%', '%25'));
    assert.deepEqual(again, result);
    if (!result.value.includes('%')) assert.deepEqual(sanitisePath(result.value), result);
  }),
);

it('a sanitised header value has no CR and no LF', () => {
  assert.equal(sanitizeHeader('a\r\nb\nc\rd'), 'abcd');
  assert.equal(sanitizeHeader('plain'), 'plain');
});
