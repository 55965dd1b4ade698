// Which records of a sink hold? A transition is recorded before it is applied, so an aborted one
// may leave records that never came true (see audit-sink.ts). They are told apart by their
// neighbours: the records of an entity that hold make one path, and a void one leads off it to
// nowhere.
//
//   queued -> placed       void: the next one still leaves from queued
//   queued -> cancelled    holds
//
// This is exact in any machine without a cycle, as the lifecycle of jobs, and for every void group
// that does not pass through one state twice. The newest records of an entity are judged by the
// state it is in; where that is not known, as after a restart, they hold: they were written ahead.
// All this is for sinks that kept every transition (strict). One that missed some has gaps, and
// what stands before a gap looks the same as a void record.

import type { EntityStates } from './entity-figures.ts';
import type { History } from './transition-history.ts';

/**
 * The records that hold, in their order. `states` is where the entities are now; an entity that it
 * does not name is taken to be where its last record leads.
 */
export function settledRecords(records: History, states: EntityStates = new Map()): History {
  const paths = new Map<string, { readonly index: number; readonly to: string }[]>();
  const isVoid = new Set<number>();
  const takeBack = (entityId: string, until: string): void => {
    const path = paths.get(entityId) ?? [];
    for (let last = path.at(-1); last !== undefined && last.to !== until; last = path.at(-1)) {
      isVoid.add(last.index);
      path.pop();
    }
  };
  for (const [index, { entityId, from, to }] of records.entries()) {
    takeBack(entityId, from);
    const path = paths.get(entityId);
    if (path === undefined) paths.set(entityId, [{ index, to }]);
    else path.push({ index, to });
  }
  for (const [entityId, state] of states) takeBack(entityId, state);
  return records.filter((_, index) => !isVoid.has(index));
}
