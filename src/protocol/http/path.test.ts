import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalPath, decodePathParameter } from './path.ts';

function pathOf(target: string): string {
  const result = canonicalPath(target);
  assert.ok(result.ok, target);
  return result.value.path;
}

const refused: readonly (readonly [string, readonly string[]])[] = [
  ['194: dot segments', ['/v1/../api', '/v1/..', '/.', '/v1/./models', '/%2e%2e/api', '/a/.%2E']],
  ['194: encoded slash', ['/v1/..%2fapi', '/v1/chat%2Fcompletions', '/v1/models/..%2f..%2fapi']],
  ['194: an encoded slash in the models segment', ['/v1%2Fmodels/x', '/v1/models%2Fx']],
  ['195: NUL and controls', ['/v1/%00', '/v1/models/a%00b', '/%0d%0a', '/%7f', '/%c2%85']],
  ['196: bad escapes', ['/%zz', '/%', '/%4', '/%c0%af', '/%ff', '/%ed%a0%80']],
  ['197: a backslash', ['/a%5cb', '/v1/models/a%5C..%5Cb', '/a\\b']],
  [
    'no path at all',
    ['', 'v1/models', '*', '/a b', '/a"b', '/a<b', '/[a]', '/{a}', '/a^b', '/a|b'],
  ],
];

describe('canonicalPath refuses', () => {
  for (const [name, targets] of refused) {
    for (const target of targets) {
      it(`case ${name}: ${JSON.stringify(target)}`, () => {
        const result = canonicalPath(target);
        assert.ok(!result.ok);
        assert.equal(result.error.code, 'invalid_path');
        assert.doesNotMatch(result.error.message, /api|chat|models\/a/);
      });
    }
  }
});

describe('canonicalPath gives', () => {
  it('plain paths as they are, case 198 included, whose routes do not exist', () => {
    for (const path of ['/', '/v1/models', '/V1/models', '/v1//models', '/v1/models;x', '/a/...']) {
      assert.equal(pathOf(path), path);
    }
  });

  it('one spelling for every escape', () => {
    assert.equal(pathOf('/v1/%6D%6fdels'), '/v1/models');
    assert.equal(pathOf('/v1/models/caf%c3%a9'), '/v1/models/caf%C3%A9');
    assert.equal(pathOf('/.well-known/x'), '/.well-known/x');
  });

  it('an encoded slash in a model id, which decodes once', () => {
    const path = pathOf('/v1/models/meta%2fllama:8b%2525');
    assert.equal(path, '/v1/models/meta%2Fllama:8b%2525');
    const breaker = '/api/v1/breakers/backend:box%2Fmodel:meta%2Fllama/reset';
    assert.equal(pathOf(breaker), breaker);
    assert.equal(decodePathParameter(path.slice('/v1/models/'.length)), 'meta/llama:8b%25');
  });

  it('the query as it came, from the first question mark', () => {
    assert.deepEqual(canonicalPath('/a?b=%zz?c'), {
      ok: true,
      value: { path: '/a', query: 'b=%zz?c' },
    });
  });
});

it('canonicalPath is idempotent, and what it gives is clean or refused', () => {
  const piece = fc.constantFrom(
    '/',
    'a',
    '.',
    '..',
    '%2e',
    '%2F',
    '%5c',
    '%25',
    '%C3%A9',
    '%41',
    ';',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const once = canonicalPath(`/${pieces.join('')}`);
      if (!once.ok) return;
      assert.equal(pathOf(once.value.path), once.value.path);
      const segments = decodeURIComponent(once.value.path).split('/');
      assert.ok(!segments.includes('..'));
      assert.ok(!segments.includes('.'));
    }),
    { seed: 20_260_102, numRuns: 5000 },
  );
});
