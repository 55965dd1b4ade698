// Goal: annotations come through as they were sent, and a bad one is refused with words that say why.
// Method: whole heads through the production check.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { annotationBytesMax, annotationsMax } from './annotations.ts';
import { checkHead, defaultHeadRules } from './head-check.ts';

function check(...own: readonly string[]) {
  const rawHeaders = ['host', 'localhost', ...own];
  const head = { method: 'POST', target: '/v1/chat/completions', httpVersion: '1.1', rawHeaders };
  return checkHead(head, { ...defaultHeadRules, allowedHosts: new Set(['localhost']) });
}

const annotation = (name: string, value: string): string[] => [
  `X-TensorForge-Annotation-${name}`,
  value,
];

describe('annotations of a request', () => {
  it('come through by name, with blanks for tabs', () => {
    const checked = check(...annotation('Variant', 'b'), ...annotation('flags', 'x=1\ty=2'));
    assert.ok(checked.ok);
    assert.deepEqual(checked.value.annotations, [
      { name: 'variant', value: 'b' },
      { name: 'flags', value: 'x=1 y=2' },
    ]);
  });

  it('are absent where none was sent', () => {
    const checked = check('x-tensorforge-region', 'eu');
    assert.ok(checked.ok);
    assert.equal(checked.value.annotations, undefined);
    assert.equal(checked.value.mayShadow, true);
  });

  it('are refused when there are too many, or one is too long, doubled, empty or no name', () => {
    const many = Array.from({ length: annotationsMax + 1 }, (_, i) => annotation(`n${i}`, 'v'));
    const cases: readonly (readonly [readonly string[], RegExp, string])[] = [
      [many.flat(), /17 annotations were sent, the limit is 16/, 'headers_too_large'],
      [annotation('a', 'v'.repeat(annotationBytesMax + 1)), /257 bytes/, 'headers_too_large'],
      [[...annotation('a', '1'), ...annotation('A', '2')], /a was sent twice/, 'malformed_http'],
      [annotation('a', ''), /has no value/, 'malformed_http'],
      [annotation('', 'v'), /takes names/, 'malformed_http'],
      [annotation('a*b', 'v'), /takes names/, 'malformed_http'],
      [annotation('a', 'caf\u00e9'), /outside printable ASCII/, 'malformed_http'],
    ];
    for (const [headers, words, code] of cases) {
      const checked = check(...headers);
      assert.ok(!checked.ok, String(headers));
      assert.match(checked.error.message, words);
      assert.equal(checked.error.code, code);
    }
  });

  it('say beside them that no copy may be sent', () => {
    const checked = check('x-tensorforge-no-shadow', 'true');
    assert.ok(checked.ok);
    assert.equal(checked.value.mayShadow, false);
  });
});
