// Figures over many jobs at once: who is where, how much is done, what is late. Rows of the
// platform specification A.14. Text that names no state counts as an entity that is in no state.

import { isTerminalState, isUnderWay, jobLifecycle } from './job-lifecycle.ts';

/** The state of each entity, by its id. */
export type EntityStates = ReadonlyMap<string, string>;

function countWhere(entities: EntityStates, holds: (state: string) => boolean): number {
  return [...entities.values()].filter(holds).length;
}

function percentOf(entities: EntityStates, holds: (state: string) => boolean): number {
  return entities.size === 0 ? 0 : (countWhere(entities, holds) / entities.size) * 100;
}

/** How many entities are on their way, in a state that is not terminal. */
export function activeWorkflows(entities: EntityStates): number {
  return countWhere(entities, isUnderWay);
}

/** How many entities each state has; a state without any is absent. */
export function stateDistribution(entities: EntityStates): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const state of entities.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

/**
 * The state, not a terminal one, with the most entities; among equals the earliest of the
 * lifecycle. Undefined when no entity is on its way.
 */
export function bottleneckState(entities: EntityStates): string | undefined {
  const counts = stateDistribution(entities);
  let fullest: string | undefined;
  let most = 0;
  for (const state of jobLifecycle.states) {
    const count = isUnderWay(state) ? (counts.get(state) ?? 0) : 0;
    if (count > most) [fullest, most] = [state, count];
  }
  return fullest;
}

/** Per cent of all entities that are at an end; cancelled counts as finished. 0 without any. */
export function completePercent(entities: EntityStates): number {
  return percentOf(entities, isTerminalState);
}

/** Per cent of all entities that were completed, not cancelled. 0 without any. */
export function completedOnlyPercent(entities: EntityStates): number {
  return percentOf(entities, (state) => state === 'completed');
}

/** Completed entities per hour; 0 when no time has passed. */
export function throughputPerHour(completed: number, elapsedSeconds: number): number {
  return elapsedSeconds <= 0 ? 0 : completed / (elapsedSeconds / 3600);
}

/** now - enteredAt, in their unit; negative when the clock was set back. */
export function stateAge(enteredAt: number, now: number): number {
  return now - enteredAt;
}

/** Is the state strictly older than `maxAge`? */
export function isStale(enteredAt: number, now: number, maxAge: number): boolean {
  return stateAge(enteredAt, now) > maxAge;
}
