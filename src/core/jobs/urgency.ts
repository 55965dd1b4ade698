// How urgent a job is, and which of two is more so. Rows of the platform specification A.7.

import { compareNumbers, compareText } from '../../base/compare.ts';
import { clamp } from '../../base/numbers.ts';
import type { UncheckedJob } from './job.ts';

/** Objectives of this many minutes and more add nothing to the urgency. */
const relaxedSloMinutes = 120;

/**
 * Each class outweighs ten minutes of objective (A.7; the factor 8 of the reference is a defect).
 */
const urgencyPerClass = 10;

/**
 * class x 10 + max(0, 120 - sloMinutes): an integer, higher is more urgent. The class is not held
 * within 1..5 here.
 */
export function urgencyScore(job: Pick<UncheckedJob, 'priorityClass' | 'sloMinutes'>): number {
  return job.priorityClass * urgencyPerClass + Math.max(0, relaxedSloMinutes - job.sloMinutes);
}

/**
 * Positive when `a` is more urgent, negative when `b` is; equal urgencies fall back on the id,
 * ascending. So a plain sort by it puts the least urgent first: see {@link mostUrgentFirst}.
 */
export function compareJobs(a: UncheckedJob, b: UncheckedJob): number {
  return Math.sign(compareNumbers(urgencyScore(a), urgencyScore(b))) || compareText(a.id, b.id);
}

/**
 * The order in which jobs are served (ruling C4): the urgencies of {@link compareJobs} reversed.
 * The last key is the id ascending in this sort as in every other (specification 0.4).
 */
export function mostUrgentFirst(a: UncheckedJob, b: UncheckedJob): number {
  return Math.sign(compareNumbers(urgencyScore(b), urgencyScore(a))) || compareText(a.id, b.id);
}

/**
 * base x (1 + elapsed / slo), the quotient held within 0..1: `base` at the start, twice that at and
 * after the deadline. `elapsed` and `slo` in one unit; an objective of 0 or less leaves `base`.
 */
export function deadlineUrgency(base: number, elapsed: number, slo: number): number {
  if (slo <= 0) return base;
  return base * (1 + clamp(elapsed / slo, 0, 1));
}
