// Questions to a history, which is a list of transition records in the order they happened, of any
// number of entities. Rows of the platform specification A.14.

import { compareNumbers, compareText } from '../../base/compare.ts';
import { saturatingDifference } from '../../base/numbers.ts';
import type { TransitionRecord } from './transition-record.ts';

export type History = readonly TransitionRecord[];

/** How many records the entity has. */
export function transitionCount(history: History, entityId: string): number {
  return history.filter((record) => record.entityId === entityId).length;
}

/** Length of the entity's chain of transitions: as many as it has records. */
export function chainLength(history: History, entityId: string): number {
  return transitionCount(history, entityId);
}

/**
 * How long the first entity that entered `state` stayed there: from that record to the first later
 * one by which the same entity left. Undefined when nobody entered, or it has not left.
 */
export function timeInState(history: History, state: string): number | undefined {
  const entered = history.findIndex(({ to }) => to === state);
  const entry = history[entered];
  if (entry === undefined) return undefined;
  const exit = history
    .slice(entered + 1)
    .find(({ entityId, from }) => entityId === entry.entityId && from === state);
  return exit && saturatingDifference(exit.timestamp, entry.timestamp);
}

/** All records ascending by time; among equal times those of `a` first, each list in its order. */
export function mergeHistories(a: History, b: History): History {
  return [...a, ...b].sort((one, other) => compareNumbers(one.timestamp, other.timestamp));
}

/**
 * The last record of each entity, which is the one of the greatest time and among equals the later
 * in the list; ascending by time, then by id.
 */
export function compactHistory(history: History): History {
  const last = new Map<string, TransitionRecord>();
  for (const record of history) {
    const known = last.get(record.entityId);
    if (known === undefined || record.timestamp >= known.timestamp) {
      last.set(record.entityId, record);
    }
  }
  return [...last.values()].sort(
    (a, b) => compareNumbers(a.timestamp, b.timestamp) || compareText(a.entityId, b.entityId),
  );
}
