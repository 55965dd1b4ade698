// Goal: admission, plans and weighted admission (A.5). Method: tables with each edge; against an
// oracle that counts, for each candidate, how many others beat it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { admit, admitWeighted, planBatch } from './admission.ts';
import type { PlacementCandidate } from './candidate.ts';

function candidate(id: string, urgency: number, etaMinutes = 1): PlacementCandidate {
  return { id, urgency, etaMinutes };
}

const four = [
  candidate('late', 7, 30),
  candidate('low', 2, 1),
  candidate('soon', 7, 5),
  candidate('top', 9, 60),
];

const idsOf = (list: readonly { readonly id: string }[]): string =>
  list.map(({ id }) => id).join(' ');

const batches = fc.uniqueArray(
  fc
    .tuple(fc.string({ minLength: 1, maxLength: 2 }), fc.nat({ max: 4 }), fc.nat({ max: 3 }))
    .map(([id, urgency, eta]) => candidate(id, urgency, eta)),
  { selector: ({ id }) => id, maxLength: 12 },
);

/** Does `a` go before `b`? Written out once more. */
function beats(a: PlacementCandidate, b: PlacementCandidate): boolean {
  if (a.urgency !== b.urgency) return a.urgency > b.urgency;
  if (a.etaMinutes !== b.etaMinutes) return a.etaMinutes < b.etaMinutes;
  return a.id < b.id;
}

test('the most urgent are admitted, the earlier estimate first among equals', () => {
  assert.equal(idsOf(admit(four, 2)), 'top soon');
  assert.equal(idsOf(admit(four, 3)), 'top soon late');
  assert.equal(idsOf(admit(four, 99)), 'top soon late low');
});

test('no capacity, less than none, NaN and a fraction of a slot admit nobody', () => {
  for (const capacity of [0, -1, Number.NaN, 0.9, Number.NEGATIVE_INFINITY]) {
    assert.deepEqual(admit(four, capacity), [], String(capacity));
  }
  assert.equal(idsOf(admit(four, 1.9)), 'top');
  assert.equal(admit(four, Number.POSITIVE_INFINITY).length, 4);
  assert.deepEqual(admit([], 3), []);
});

test('a candidate with NaN cannot be ranked and is not admitted', () => {
  const list = [candidate('nan', Number.NaN), candidate('a', 1), candidate('eta', 9, Number.NaN)];
  assert.equal(idsOf(admit(list, 3)), 'a');
});

test('admission changes nothing in its input', () => {
  const frozen = Object.freeze([...four]);
  admit(frozen, 2);
  assert.equal(idsOf(frozen), 'late low soon top');
});

test('a plan holds the admitted in their order and the others in the order of the input', () => {
  const plan = planBatch(four, 1);
  assert.ok(plan.ok);
  assert.equal(idsOf(plan.value.planned), 'top');
  assert.equal(idsOf(plan.value.rejected), 'late low soon');
});

test('with no capacity all are rejected, with enough nobody', () => {
  const none = planBatch(four, 0);
  assert.deepEqual(none.ok && none.value, { planned: [], rejected: four });
  const all = planBatch(four, 4);
  assert.deepEqual(all.ok && all.value.rejected, []);
});

test('a batch with a repeated id or an invalid candidate is not planned', () => {
  const twice = planBatch([...four, candidate('low', 3)], 2);
  assert.ok(!twice.ok && twice.error.code === 'duplicate_candidate');
  assert.match(twice.error.message, /"low"/);
  const invalid = planBatch([candidate('a', -1)], 2);
  assert.ok(!invalid.ok && invalid.error.code === 'invalid_candidate');
});

test('weighted admission goes by the product of urgency and weight, then by id', () => {
  const list = [
    { id: 'b', urgency: 2, weight: 5 },
    { id: 'heavy', urgency: 3, weight: 10 },
    { id: 'a', urgency: 10, weight: 1 },
    { id: 'zero', urgency: 50, weight: 0 },
  ];
  assert.deepEqual(admitWeighted(list, 3), [
    { id: 'heavy', score: 30 },
    { id: 'a', score: 10 },
    { id: 'b', score: 10 },
  ]);
  assert.deepEqual(admitWeighted(list, 0), []);
  const unranked = { id: 'n', urgency: Number.NaN, weight: 1 };
  assert.equal(idsOf(admitWeighted([...list, unranked], 5)), 'heavy a b zero');
  assert.equal(idsOf(list), 'b heavy a zero');
});

holds(
  'whoever is admitted is beaten by fewer than the capacity, and stands at the place of that count',
  fc.property(batches, fc.nat({ max: 14 }), (list, capacity) => {
    const place = (one: PlacementCandidate): number =>
      list.filter((other) => beats(other, one)).length;
    const admitted = admit(list, capacity);
    assert.deepEqual(admitted.map(place), [...admitted.keys()]);
    assert.equal(admitted.length, Math.min(capacity, list.length));
  }),
);

holds(
  'planned and rejected together are the input, each in its stated order',
  fc.property(batches, fc.nat({ max: 14 }), (list, capacity) => {
    const plan = planBatch(list, capacity);
    assert.ok(plan.ok);
    const { planned, rejected } = plan.value;
    assert.deepEqual(planned, admit(list, capacity));
    assert.deepEqual(
      rejected,
      list.filter((one) => !planned.includes(one)),
    );
    assert.equal(planned.length + rejected.length, list.length);
  }),
);

holds(
  'the same candidates in any order give the same admission',
  fc.property(batches, fc.nat({ max: 14 }), (list, capacity) => {
    assert.deepEqual(admit(list.toReversed(), capacity), admit(list, capacity));
  }),
);
