// The five priority classes of jobs and requests, their labels, their default service-level
// objectives, and how a class is read from free text. Rows of the platform specification A.7.

import { assert } from '../../base/assert.ts';

/** 5 critical, 4 high, 3 medium, 2 low, 1 info: the higher number is served first. */
export type PriorityClass = 1 | 2 | 3 | 4 | 5;

export type PriorityLabel = 'critical' | 'high' | 'medium' | 'low' | 'info';

type ClassFacts = {
  readonly class: PriorityClass;
  readonly label: PriorityLabel;
  readonly sloMinutes: number;
  /** Whole words of a free text that mean this class. */
  readonly words: readonly string[];
};

/** The most urgent class first: the order in which words of a text are looked for. */
const classes: readonly ClassFacts[] = [
  { class: 5, label: 'critical', sloMinutes: 15, words: ['critical', 'emergency'] },
  { class: 4, label: 'high', sloMinutes: 30, words: ['high', 'urgent'] },
  { class: 3, label: 'medium', sloMinutes: 60, words: ['medium', 'moderate'] },
  { class: 2, label: 'low', sloMinutes: 120, words: ['low', 'minor'] },
  { class: 1, label: 'info', sloMinutes: 240, words: [] },
];

function factsOf(priorityClass: number): ClassFacts | undefined {
  return classes.find((facts) => facts.class === priorityClass);
}

export function isPriorityClass(value: number): value is PriorityClass {
  return factsOf(value) !== undefined;
}

/**
 * The class nearest to `value`: held within 1..5, fractions cut off. NaN is a bug of the caller.
 */
export function nearestPriorityClass(value: number): PriorityClass {
  assert(!Number.isNaN(value), 'a priority class is a number');
  return classes.find((facts) => facts.class <= value)?.class ?? 1;
}

/** Minutes that a job of the class may take: 15, 30, 60, 120, 240 for 5 to 1; any other 60. */
export function defaultSloMinutes(priorityClass: number): number {
  return factsOf(priorityClass)?.sloMinutes ?? 60;
}

/** The label of the class, `unknown` for a number that is none. */
export function priorityLabel(priorityClass: number): PriorityLabel | 'unknown' {
  return factsOf(priorityClass)?.label ?? 'unknown';
}

/**
 * The most urgent class of which the text holds a word, in any case; 1 when it holds none. Whole
 * words only (A.7 decision): `slow`, `below` and `workflow` do not mean low. Whatever is neither
 * letter nor digit separates words, so `high_priority` is high.
 */
export function classifyPriority(text: string): PriorityClass {
  const words = new Set(text.toLowerCase().split(/[^\p{L}\p{M}\p{N}]+/u));
  return classes.find((facts) => facts.words.some((word) => words.has(word)))?.class ?? 1;
}
