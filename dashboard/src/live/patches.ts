// Live messages wait here until the next animation frame and are then merged into what the pages
// show. Between two frames the newest snapshot of a kind replaces the older one and finished
// requests add up, so a burst costs one rendering and the memory of one frame.
//
// I1  Decisions are newest first, each decision id once, at most `decisionsMax`.
// I2  Snapshots of one kind replace each other in order of arrival: one socket keeps the order, and
//     comparing clocks would freeze the page when the server's clock is set back.

import type { BackendListWire, DecisionWire, LiveUpdate, OverviewWire } from '../api/wire.ts';

export const decisionsMax = 1000;

export type Patches = {
  readonly overview: OverviewWire | undefined;
  readonly backends: BackendListWire | undefined;
  /** Newest first. */
  readonly decisions: readonly DecisionWire[];
  /** The server could not keep up with this reader: fetch everything again. */
  readonly resync: boolean;
};

export const noPatches: Patches = {
  overview: undefined,
  backends: undefined,
  decisions: [],
  resync: false,
};

function byNewest(a: DecisionWire, b: DecisionWire): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  if (a.decision_id === b.decision_id) return 0;
  return a.decision_id < b.decision_id ? 1 : -1;
}

/** Both lists as one (I1). A decision in `fresh` replaces its earlier record. */
export function mergeDecisions(
  held: readonly DecisionWire[],
  fresh: readonly DecisionWire[],
): readonly DecisionWire[] {
  if (fresh.length === 0) return held;
  const newestHeld = held[0];
  // The usual case: everything fresh is newer than all that is held, so nothing is sorted again.
  if (newestHeld !== undefined && fresh.every((decision) => decision.at > newestHeld.at)) {
    return [...mergeDecisions([], fresh), ...held].slice(0, decisionsMax);
  }
  const byId = new Map<string, DecisionWire>();
  for (const decision of held) byId.set(decision.decision_id, decision);
  for (const decision of fresh) byId.set(decision.decision_id, decision);
  return [...byId.values()].sort(byNewest).slice(0, decisionsMax);
}

export type FetchedList = {
  /** What was held when the list was asked for. */
  readonly before: readonly DecisionWire[];
  /** What is held now that it is there. */
  readonly held: readonly DecisionWire[];
  readonly fetched: readonly DecisionWire[];
};

/**
 * A fetched list together with the rows that came live while it was on its way. Rows older than the
 * fetched ones are let go, because there may be a gap between the two; beside an empty list, all but
 * those that came meanwhile.
 */
export function joinSnapshot({ before, held, fetched }: FetchedList): readonly DecisionWire[] {
  const snapshot = mergeDecisions([], fetched);
  const oldest = snapshot.at(-1)?.at;
  const recent =
    oldest === undefined
      ? held.filter((decision) => !before.includes(decision))
      : held.filter((decision) => decision.at > oldest);
  return mergeDecisions(recent, snapshot);
}

/** One more message into what waits for the next frame. */
export function addPatch(patches: Patches, update: LiveUpdate): Patches {
  switch (update.update_type) {
    case 'Overview':
      return { ...patches, overview: update.data };
    case 'BackendStatus':
      return { ...patches, backends: update.data };
    case 'RequestComplete':
      return {
        ...patches,
        decisions: mergeDecisions(patches.decisions, update.data.decisions),
      };
    case 'Resync':
      return { ...patches, resync: true };
  }
}

/**
 * Rows that the reader has not seen: those in front of the newest row on show. All of them when
 * that row has meanwhile fallen off the end.
 */
export function countUnseen<Row>(
  shown: readonly Row[],
  latest: readonly Row[],
  keyOf: (row: Row) => string,
): number {
  const top = shown[0];
  if (top === undefined) return latest.length;
  const index = latest.findIndex((row) => keyOf(row) === keyOf(top));
  return index === -1 ? latest.length : index;
}
