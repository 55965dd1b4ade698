// One group of the matrix: the checks of one module, over the index alone.

import type { Documents } from '../../support/documents.ts';

/** Grouped: an index runs one group. Monolithic: every index runs them all. */
export type Mode = 'grouped' | 'monolithic';

export type Group = {
  readonly name: string;
  /** Throws at the first statement that does not hold for this index. */
  readonly check: (documents: Documents, index: number, mode: Mode) => void;
};

/**
 * How often the index has gone round the fourteen groups. Where the index runs one group, remainders
 * by 2, 7 and 14 stand still, and this goes on.
 */
export function turn(index: number): number {
  return Math.floor(index / 14);
}

/** The item at `index` modulo the length of a list that is not empty. */
export function cycled<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length];
  if (item === undefined) throw new Error('cycled through an empty list');
  return item;
}
