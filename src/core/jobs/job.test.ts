// Goal: making and judging jobs (A.7). Method: tables with each edge; whatever is made from ids
// that are not empty is valid, as a property.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { createJobs, validateJob } from './job.ts';

test('one job is made for each id, in order', () => {
  const jobs = createJobs(['b', 'a'], 4, 45);
  assert.deepEqual(jobs, [
    { id: 'b', priorityClass: 4, sloMinutes: 45 },
    { id: 'a', priorityClass: 4, sloMinutes: 45 },
  ]);
  assert.deepEqual(createJobs([], 4, 45), []);
});

test('the class is held within 1..5 and the objective is at least 1 minute', () => {
  const rows = [
    [0, 0, 1, 1],
    [-7, -7, 1, 1],
    [6, 1, 5, 1],
    [5, 2, 5, 2],
    [3.9, 45.9, 3, 45],
    [1, 0.5, 1, 1],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 5, Number.MAX_SAFE_INTEGER],
  ] as const;
  for (const [givenClass, givenSlo, priorityClass, sloMinutes] of rows) {
    const made = createJobs(['j'], givenClass, givenSlo);
    assert.deepEqual(made, [{ id: 'j', priorityClass, sloMinutes }], `${givenClass} ${givenSlo}`);
  }
  assert.throws(() => createJobs(['j'], Number.NaN, 1), /priority class/);
  assert.throws(() => createJobs(['j'], 1, Number.NaN), /objective/);
});

test('a valid job is a frozen copy of its three fields', () => {
  const given = { id: 'j', priorityClass: 1, sloMinutes: 1, more: true };
  const valid = validateJob(given);
  assert.deepEqual(valid, { ok: true, value: { id: 'j', priorityClass: 1, sloMinutes: 1 } });
  assert.ok(valid.ok && Object.isFrozen(valid.value));
  const edge = { id: 'j', priorityClass: 5, sloMinutes: Number.MAX_SAFE_INTEGER };
  assert.ok(validateJob(edge).ok);
});

test('a job is refused with field, value and bound', () => {
  const good = { id: 'j', priorityClass: 3, sloMinutes: 60 };
  const rows = [
    [{ id: '' }, /^job "": id is "", but must be not empty$/],
    [{ priorityClass: 0 }, /priorityClass is 0, but must be one of 1, 2, 3, 4, 5$/],
    [{ priorityClass: 6 }, /priorityClass is 6/],
    [{ priorityClass: 2.5 }, /priorityClass is 2.5/],
    [{ priorityClass: Number.NaN }, /priorityClass is NaN/],
    [{ sloMinutes: 0 }, /^job "j": sloMinutes is 0, but must be .* at least 1$/],
    [{ sloMinutes: -5 }, /sloMinutes is -5/],
    [{ sloMinutes: 0.5 }, /sloMinutes is 0.5/],
    [{ sloMinutes: Number.NaN }, /sloMinutes is NaN/],
    [{ sloMinutes: Number.POSITIVE_INFINITY }, /sloMinutes is Infinity/],
    [{ sloMinutes: 2 ** 53 }, /sloMinutes is 9007199254740992/],
  ] as const;
  for (const [changes, words] of rows) {
    const refused = validateJob({ ...good, ...changes });
    assert.ok(!refused.ok, String(words));
    assert.equal(refused.error.code, 'invalid_job');
    assert.match(refused.error.message, words);
  }
});

test('all faults of a job are told at once', () => {
  const refused = validateJob({ id: '', priorityClass: 9, sloMinutes: -1 });
  const fields = refused.ok ? [] : refused.error.details?.map(({ field }) => field);
  assert.deepEqual(fields?.toSorted(), ['id', 'priorityClass', 'sloMinutes']);
});

holds(
  'every job that is made is valid',
  fc.property(
    fc.array(fc.string({ minLength: 1 })),
    fc.double({ noNaN: true }),
    fc.double({ noNaN: true }),
    (ids, priorityClass, sloMinutes) => {
      const jobs = createJobs(ids, priorityClass, sloMinutes);
      assert.deepEqual(
        jobs.map(({ id }) => id),
        ids,
      );
      for (const job of jobs) assert.deepEqual(validateJob(job), { ok: true, value: job });
    },
  ),
);
