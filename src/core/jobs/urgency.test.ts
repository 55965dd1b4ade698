// Goal: urgency and the two orders of jobs (A.7, C4). Method: the self-check values of A.15 and
// each edge; total orders and growth with elapsed time as properties.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { compareJobs, deadlineUrgency, mostUrgentFirst, urgencyScore } from './urgency.ts';

type Job = { readonly id: string; readonly priorityClass: number; readonly sloMinutes: number };

function job(id: string, priorityClass: number, sloMinutes: number): Job {
  return { id, priorityClass, sloMinutes };
}

const jobs = fc
  .tuple(fc.constantFrom('a', 'b', 'B', 'ab'), fc.nat({ max: 7 }), fc.nat({ max: 130 }))
  .map(([id, priorityClass, slo]) => job(id, priorityClass, slo));

test('the urgency is ten times the class plus the minutes of objective below 120', () => {
  const rows = [
    [4, 45, 115],
    [1, 500, 10],
    [5, 120, 50],
    [5, 119, 51],
    [5, 121, 50],
    [1, 0, 130],
    [7, 20, 170],
    [0, 120, 0],
  ] as const;
  for (const [priorityClass, sloMinutes, expected] of rows) {
    assert.equal(urgencyScore({ priorityClass, sloMinutes }), expected, `${priorityClass}`);
  }
});

test('comparing is positive for the more urgent job, whatever its id', () => {
  const urgent = job('z', 5, 15);
  const relaxed = job('a', 1, 240);
  assert.equal(compareJobs(urgent, relaxed), 1);
  assert.equal(compareJobs(relaxed, urgent), -1);
  assert.equal(compareJobs(urgent, urgent), 0);
});

test('equal urgencies are ordered by id, by code unit', () => {
  // 3 x 10 + 90 and 4 x 10 + 80 are both 120.
  assert.equal(compareJobs(job('a', 3, 30), job('b', 4, 40)), -1);
  assert.equal(compareJobs(job('a', 3, 30), job('B', 4, 40)), 1);
  assert.equal(mostUrgentFirst(job('a', 3, 30), job('b', 4, 40)), -1);
});

test('a plain sort puts the least urgent first, mostUrgentFirst the most urgent', () => {
  const list = [job('b', 3, 30), job('low', 1, 240), job('top', 5, 15), job('a', 4, 40)];
  const ids = (sorted: readonly Job[]): string => sorted.map(({ id }) => id).join(' ');
  assert.equal(ids(list.toSorted(compareJobs)), 'low a b top');
  assert.equal(ids(list.toSorted(mostUrgentFirst)), 'top a b low');
});

test('urgency grows from its base to twice that at the deadline and no further', () => {
  const rows = [
    [8, 30, 40, 14],
    [8, 90, 40, 16],
    [8, 40, 40, 16],
    [8, 0, 40, 8],
    [8, -5, 40, 8],
    [8, 10, 0, 8],
    [8, 10, -1, 8],
    [0, 10, 40, 0],
  ] as const;
  for (const [base, elapsed, slo, expected] of rows) {
    assert.equal(deadlineUrgency(base, elapsed, slo), expected, `${base} ${elapsed} ${slo}`);
  }
  assert.ok(Number.isNaN(deadlineUrgency(Number.NaN, 1, 2)));
});

for (const [name, compare] of [
  ['compareJobs', compareJobs],
  ['mostUrgentFirst', mostUrgentFirst],
] as const) {
  holds(
    `${name} is a total order: antisymmetric, transitive, and 0 only for equal urgency and id`,
    fc.property(jobs, jobs, jobs, (a, b, c) => {
      assert.equal(compare(a, b) + compare(b, a), 0);
      const alike = a.id === b.id && urgencyScore(a) === urgencyScore(b);
      assert.equal(compare(a, b) === 0, alike);
      if (compare(a, b) <= 0 && compare(b, c) <= 0) assert.ok(compare(a, c) <= 0);
    }),
  );
}

holds(
  'the urgencies of the two orders are each other reversed',
  fc.property(fc.array(jobs), (list) => {
    const upward = list.toSorted(compareJobs).map(urgencyScore);
    const downward = list.toSorted(mostUrgentFirst).map(urgencyScore);
    assert.deepEqual(downward, upward.toReversed());
  }),
);

const minutes = fc.double({ min: 0, max: 1e6, noNaN: true });

holds(
  'urgency never falls with elapsed time and stays between its base and twice that',
  fc.property(
    minutes,
    minutes,
    minutes,
    fc.double({ min: -10, max: 1e6, noNaN: true }),
    (...args) => {
      const [base, first, second, slo] = args;
      const earlier = deadlineUrgency(base, Math.min(first, second), slo);
      const later = deadlineUrgency(base, Math.max(first, second), slo);
      assert.ok(base <= earlier && earlier <= later && later <= 2 * base);
    },
  ),
);
