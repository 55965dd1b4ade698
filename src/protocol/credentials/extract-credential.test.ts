import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { errorBody } from '../../errors/faces.ts';
import { checkHead, defaultHeadRules } from '../http/head-check.ts';
import { extractControlCredential, extractCredential } from './extract-credential.ts';

const key = `tfk_abcdefghijkl_${'A'.repeat(43)}_abcdef`;

/** Through the head check, as every request comes. */
function extract(headers: readonly string[], target = '/v1/models') {
  const rules = { ...defaultHeadRules, allowedHosts: new Set(['localhost']) };
  const head = { method: 'GET', target, httpVersion: '1.1' };
  const facts = checkHead({ ...head, rawHeaders: ['Host', 'localhost', ...headers] }, rules);
  assert.ok(facts.ok);
  return extractCredential(facts.value);
}

function codeOf(result: ReturnType<typeof extractControlCredential>): string {
  return result.ok ? `taken ${result.value.text}` : result.error.code;
}

const unauthorised: readonly (readonly [string, readonly string[]])[] = [
  ['108: none', []],
  ['109: a bare scheme', ['Authorization', 'Bearer']],
  ['110: a scheme and blanks', ['Authorization', 'Bearer   ']],
  ['111: another scheme', ['Authorization', 'Basic x']],
  ['112: a key without scheme', ['Authorization', key]],
  ['113: two credentials in one line', ['Authorization', 'Bearer a, Bearer b']],
  ['114: two tokens', ['Authorization', 'Bearer a b']],
  ['115: a no-break space before the key', ['Authorization', `Bearer \u00a0${key}`]],
  ['115: a no-break space behind the key', ['Authorization', `Bearer ${key}\u00a0`]],
  ['115: a tab between scheme and key', ['Authorization', `Bearer\t${key}`]],
  ['123: a cookie alone', ['Cookie', `__Host-tf=${key}; tf=${key}`]],
  ['an empty x-api-key', ['x-api-key', '']],
  ['an x-api-key with a scheme', ['x-api-key', `Bearer ${key}`]],
  ['a token above 8 KiB', ['Authorization', `Bearer ${'a'.repeat(8193)}`]],
];

describe('extractCredential answers 401 in the same words', () => {
  const bodies = new Set<string>();
  for (const [name, headers] of unauthorised) {
    it(`case ${name}`, () => {
      const result = extract(headers);
      assert.ok(!result.ok);
      assert.match(result.error.code, /^(?:missing|invalid)_api_key$/);
      bodies.add(errorBody('openai', result.error));
      assert.equal(bodies.size, 1);
      assert.match([...bodies][0] ?? '', /"code":"invalid_api_key"/);
      assert.doesNotMatch(result.error.message, /AAAA/);
    });
  }

  it('case 122: a key in the query', () => {
    const result = extract([], `/v1/models?api_key=${key}&access_token=${key}`);
    assert.equal(codeOf(result), 'missing_api_key');
  });
});

describe('extractCredential refuses two credentials', () => {
  it('case 126: two Authorization lines, even equal ones', () => {
    for (const second of [`Bearer ${key}`, 'Bearer other', 'Basic x', '']) {
      const result = extract(['Authorization', `Bearer ${key}`, 'authorization', second]);
      assert.equal(codeOf(result), 'ambiguous_credentials');
    }
    assert.equal(codeOf(extract(['x-api-key', key, 'X-API-Key', key])), 'ambiguous_credentials');
  });

  it('case 127: Authorization and x-api-key that differ', () => {
    for (const authorization of ['Bearer other', 'Basic x', 'Bearer', '']) {
      const result = extract(['Authorization', authorization, 'x-api-key', key]);
      assert.equal(codeOf(result), 'ambiguous_credentials');
    }
  });

  it('case 128: a cookie and a bearer together on the control plane', () => {
    const headers = { authorization: `Bearer ${key}`, authorizationCount: 1 };
    const bearer = { ...headers, xApiKey: undefined, xApiKeyCount: 0 };
    assert.equal(codeOf(extractControlCredential(bearer, 'session')), 'ambiguous_credentials');
    assert.equal(codeOf(extractControlCredential(bearer, undefined)), `taken ${key}`);
    const none = { ...bearer, authorization: undefined, authorizationCount: 0 };
    assert.equal(codeOf(extractControlCredential(none, 'session')), 'taken session');
  });
});

describe('extractCredential takes', () => {
  const taken: readonly (readonly [string, readonly string[]])[] = [
    ['129: bEaReR', ['Authorization', `bEaReR ${key}`]],
    ['more than one blank', ['Authorization', `Bearer   ${key}`]],
    ['x-api-key', ['X-Api-Key', key]],
    ['both when they agree', ['x-api-key', key, 'Authorization', `Bearer ${key}`]],
    ['a key beside a cookie, which counts for nothing', ['Cookie', 'tf=x', 'x-api-key', key]],
  ];
  for (const [name, headers] of taken) {
    it(`case ${name}`, () => assert.equal(codeOf(extract(headers)), `taken ${key}`));
  }
});

it('no order and no letter case of credential headers changes the outcome', () => {
  const name = fc.constantFrom('authorization', 'x-api-key', 'cookie');
  const value = fc.constantFrom(`Bearer ${key}`, key, 'Bearer a', 'a', 'Basic x', '', 'Bearer ');
  const headers = fc.uniqueArray(fc.tuple(name, value), {
    maxLength: 4,
    comparator: (a, b) => a[0] === b[0] && a[1] === b[1],
  });
  const permuted = headers.chain((list) =>
    fc.tuple(
      fc.constant(list),
      fc.shuffledSubarray(list, { minLength: list.length }),
      fc.infiniteStream(fc.boolean()),
    ),
  );
  fc.assert(
    fc.property(permuted, ([list, other, upper]) => {
      const cased = other.map(([header, text]) => [
        upper.next().value ? header.toUpperCase() : header,
        text,
      ]);
      assert.equal(codeOf(extract(cased.flat())), codeOf(extract(list.flat())));
    }),
    { seed: 20_260_105, numRuns: 3000 },
  );
});
