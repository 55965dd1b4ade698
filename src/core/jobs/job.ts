// An inference job: asynchronous work with a priority class and a time by which it should be done.
// Rows of the platform specification A.7.

import { assert } from '../../base/assert.ts';
import { type Fault, invalid, type Violation } from '../../base/fault.ts';
import { clamp } from '../../base/numbers.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { isPriorityClass, nearestPriorityClass, type PriorityClass } from './priority-class.ts';

/** A job as it arrives: the numbers are whatever was sent. */
export type UncheckedJob = {
  readonly id: string;
  readonly priorityClass: number;
  /** Minutes from arrival in which the job should be done. */
  readonly sloMinutes: number;
};

export type InferenceJob = UncheckedJob & { readonly priorityClass: PriorityClass };

/**
 * One job for each id, in order: the class held within 1..5, the objective at least 1 minute,
 * fractions cut off. The ids are taken as they are; {@link validateJob} judges them.
 */
export function createJobs(
  ids: readonly string[],
  priorityClass: number,
  sloMinutes: number,
): readonly InferenceJob[] {
  assert(!Number.isNaN(sloMinutes), 'an objective is a number');
  const facts = {
    priorityClass: nearestPriorityClass(priorityClass),
    sloMinutes: clamp(Math.trunc(sloMinutes), 1, Number.MAX_SAFE_INTEGER),
  };
  return ids.map((id) => Object.freeze({ id, ...facts }));
}

/** The job, or every field at fault: id not empty, class in 1..5, objective a positive integer. */
export function validateJob(job: UncheckedJob): Result<InferenceJob, Fault<'invalid_job'>> {
  const { id, priorityClass, sloMinutes } = job;
  const violations: Violation[] = [];
  if (id === '') violations.push({ field: 'id', value: id, bound: 'not empty' });
  if (!Number.isSafeInteger(sloMinutes) || sloMinutes < 1) {
    const bound = 'a whole number of minutes, at least 1';
    violations.push({ field: 'sloMinutes', value: sloMinutes, bound });
  }
  if (!isPriorityClass(priorityClass)) {
    violations.push({
      field: 'priorityClass',
      value: priorityClass,
      bound: 'one of 1, 2, 3, 4, 5',
    });
  } else if (violations.length === 0) {
    return ok(Object.freeze({ id, priorityClass, sloMinutes }));
  }
  return err(invalid('invalid_job', `job "${id}"`, violations));
}
