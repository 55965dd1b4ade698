// Goal: judging and ordering placement candidates (A.5). Method: tables with each edge; the total
// order as a property.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import {
  compareCandidates,
  type PlacementCandidate,
  validateBatch,
  validateCandidate,
} from './candidate.ts';

function candidate(id: string, urgency = 1, etaMinutes = 1): PlacementCandidate {
  return { id, urgency, etaMinutes };
}

test('urgency decides first, then the earlier estimate, then the id', () => {
  const rows = [
    [candidate('z', 9, 99), candidate('a', 8, 1), -1],
    [candidate('z', 9, 1), candidate('a', 9, 2), -1],
    [candidate('a', 9, 1), candidate('b', 9, 1), -1],
    [candidate('B', 9, 1), candidate('a', 9, 1), -1],
    [candidate('a', 9, 1), candidate('a', 9, 1), 0],
    [candidate('a', 9, -5), candidate('a', 9, 0), -1],
  ] as const;
  for (const [first, second, expected] of rows) {
    assert.equal(compareCandidates(first, second), expected);
    assert.ok(compareCandidates(second, first) === -expected);
  }
});

test('a candidate is refused with field, value and bound', () => {
  const rows = [
    [{ id: '' }, /^candidate "": id is "", but must be not empty$/],
    [{ urgency: -1 }, /^candidate "c": urgency is -1, but must be within 0\.\.9007199254740991$/],
    [{ urgency: -Number.MIN_VALUE }, /urgency is -5e-324/],
    [{ urgency: Number.NaN }, /urgency is NaN/],
    [{ urgency: Number.POSITIVE_INFINITY }, /urgency is Infinity/],
    [{ urgency: 2 ** 53 }, /urgency is 9007199254740992/],
    [{ etaMinutes: Number.NaN }, /etaMinutes is NaN, but must be a finite number$/],
    [{ etaMinutes: Number.NEGATIVE_INFINITY }, /etaMinutes is -Infinity/],
  ] as const;
  for (const [changes, words] of rows) {
    const refused = validateCandidate({ ...candidate('c'), ...changes });
    assert.ok(!refused.ok, String(words));
    assert.equal(refused.error.code, 'invalid_candidate');
    assert.match(refused.error.message, words);
  }
});

test('urgency 0 is accepted and the estimate is not bounded', () => {
  for (const eta of [0, -7, 0.5, Number.MAX_VALUE]) {
    assert.ok(validateCandidate(candidate('c', 0, eta)).ok, String(eta));
  }
  assert.ok(validateCandidate(candidate('c', 10.5)).ok);
});

test('a batch is refused for its first invalid candidate', () => {
  const refused = validateBatch([candidate('a'), candidate('b', -1), candidate('', -1)]);
  assert.ok(!refused.ok && refused.error.code === 'invalid_candidate');
  assert.match(refused.error.message, /^candidate "b": urgency is -1/);
});

test('a batch is refused for a repeated id, which is named', () => {
  const refused = validateBatch([candidate('a'), candidate('b'), candidate('b', 2)]);
  assert.deepEqual(
    refused.ok ? '' : `${refused.error.code}: ${refused.error.message}`,
    ['duplicate_candidate: candidate "b" is in the batch more than once'][0],
  );
});

test('a batch of valid candidates with ids of their own is accepted, an empty one too', () => {
  const batch = [candidate('a'), candidate('A'), candidate('b')];
  assert.deepEqual(validateBatch(batch), { ok: true, value: batch });
  assert.deepEqual(validateBatch([]), { ok: true, value: [] });
});

const candidates = fc
  .tuple(fc.constantFrom('a', 'b', 'B'), fc.nat({ max: 3 }), fc.integer({ min: -1, max: 2 }))
  .map(([id, urgency, eta]) => candidate(id, urgency, eta));

holds(
  'the order of candidates is antisymmetric and transitive, and 0 only for equal ones',
  fc.property(candidates, candidates, candidates, (a, b, c) => {
    assert.equal(compareCandidates(a, b) + compareCandidates(b, a), 0);
    assert.equal(compareCandidates(a, b) === 0, JSON.stringify(a) === JSON.stringify(b));
    if (compareCandidates(a, b) <= 0 && compareCandidates(b, c) <= 0) {
      assert.ok(compareCandidates(a, c) <= 0);
    }
  }),
);
