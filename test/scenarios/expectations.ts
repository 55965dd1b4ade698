// What a check of the matrix can say. Every statement has a name, so that a failing case tells which
// one it broke; the words are only built when it is broken, because the matrix makes millions of
// statements.

import { inspect, isDeepStrictEqual } from 'node:util';

export class ScenarioFailure extends Error {
  override readonly name = 'ScenarioFailure';
  readonly assertion: string;

  constructor(assertion: string, words: string) {
    super(words);
    this.assertion = assertion;
  }
}

function printed(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 200 });
}

/** The comparison tolerance where the specification states none (0.2). */
export const usualTolerance = 0.01;

export function that(assertion: string, condition: boolean): void {
  if (!condition) throw new ScenarioFailure(assertion, 'does not hold');
}

/** Lists are compared here, item by item: the matrix compares short ones a million times. */
function same(actual: unknown, expected: unknown): boolean {
  if (Object.is(actual, expected)) return true;
  if (typeof expected !== 'object') return false;
  if (!Array.isArray(expected)) return isDeepStrictEqual(actual, expected);
  if (!Array.isArray(actual) || actual.length !== expected.length) return false;
  for (let at = 0; at < expected.length; at += 1) {
    if (!same(actual[at], expected[at])) return false;
  }
  return true;
}

/** Equal in value and, for lists and records, in every member. */
export function equal(assertion: string, actual: unknown, expected: unknown): void {
  if (same(actual, expected)) return;
  throw new ScenarioFailure(assertion, `got ${printed(actual)}, expected ${printed(expected)}`);
}

/** Within an absolute `tolerance`; NaN is near nothing. */
export function near(
  assertion: string,
  actual: number | null,
  expected: number,
  tolerance: number = usualTolerance,
): void {
  if (actual !== null && Math.abs(actual - expected) <= tolerance) return;
  throw new ScenarioFailure(
    assertion,
    `got ${printed(actual)}, expected ${expected} within ${tolerance}`,
  );
}

/** Within 1e-9 relative (absolute below 1): a formula reproduced, not approximated. */
export function exactly(assertion: string, actual: number | null, expected: number): void {
  near(assertion, actual, expected, 1e-9 * Math.max(1, Math.abs(expected)));
}

/** What `run` throws or returns. Its error is expected, and there are many, so it has no stack. */
function outcomeOf(run: () => unknown): { readonly thrown: boolean; readonly value: unknown } {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return { thrown: false, value: run() };
  } catch (error) {
    return { thrown: true, value: error };
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** Throws an error that carries a code and words. */
export function refuses(assertion: string, run: () => unknown): void {
  const { thrown, value } = outcomeOf(run);
  if (thrown && value instanceof Error && 'code' in value && value.message !== '') return;
  const met = thrown ? `threw ${printed(value)}, which is no refusal` : `got ${printed(value)}`;
  throw new ScenarioFailure(assertion, `${met}, expected a refusal`);
}

/** The items are in non-descending order of `key`. */
export function ascending<T>(
  assertion: string,
  items: readonly T[],
  key: (item: T) => number,
): void {
  for (let at = 1; at < items.length; at += 1) {
    const [before, after] = [items[at - 1], items[at]];
    if (before !== undefined && after !== undefined && key(before) <= key(after)) continue;
    throw new ScenarioFailure(assertion, `not ascending: ${printed(items)}`);
  }
}

/** The same items as often, in whatever order. */
export function permutation<T>(
  assertion: string,
  actual: readonly T[],
  expected: readonly T[],
): void {
  const text = (items: readonly T[]) => items.map((item) => JSON.stringify(item)).sort();
  equal(assertion, text(actual), text(expected));
}
