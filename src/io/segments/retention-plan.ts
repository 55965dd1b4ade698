// Which segments are archived and which are removed, as a rule over a list. The oldest go first,
// over all streams, but a stream loses its segments from the front only: what is left stays one
// chain.
//
//   K1  The newest segment of a stream stays, open or sealed: it is the end of the chain that the
//       next start continues.
//   K2  While an archive is configured, nothing unarchived is removed, except where the log has
//       grown to twice its budget; that is a loss, and told.
//   K3  Age removes what no record of is younger; the budget removes more, until the log fits.

import { compareNumbers, compareText } from '../../base/compare.ts';
import type { SegmentInfo } from './segment-list.ts';

export type RetentionLimits = {
  /** Of all streams together. */
  readonly budgetBytes: number;
  /** Records older than this go. */
  readonly retentionMs: number;
};

export type Removal = {
  readonly segment: SegmentInfo;
  readonly reason: 'age' | 'budget';
  /** It goes without having been archived. */
  readonly isLost: boolean;
};

type Removable = {
  readonly segment: SegmentInfo;
  /** Greatest Unix ms in it, or the best that is known where its seal is damaged. */
  readonly lastAtMs: number;
};

/** The removable segments of one stream, ascending (K1). */
function removableOf(segments: readonly SegmentInfo[], nowMs: number): Removable[] {
  const ascending = segments.toSorted((a, b) => compareNumbers(a.number, b.number));
  let later = nowMs;
  const found = ascending.toReversed().map((segment) => {
    later = segment.lastAtMs ?? segment.firstAtMs ?? later;
    return { segment, lastAtMs: later };
  });
  return found.slice(1).reverse();
}

/** All but the newest of each stream: what may be archived and removed. */
export function closedSegments(segments: readonly SegmentInfo[]): readonly SegmentInfo[] {
  return lanesOf(segments, 0).flatMap((lane) => lane.map(({ segment }) => segment));
}

function lanesOf(segments: readonly SegmentInfo[], nowMs: number): Removable[][] {
  const streams = Map.groupBy(segments, (segment) => segment.stream);
  const ordered = [...streams].sort(([a], [b]) => compareText(a, b));
  return ordered.map(([, own]) => removableOf(own, nowMs));
}

/** The lane whose first segment is the oldest of those that `may` go. */
function oldestLane(
  lanes: readonly Removable[][],
  may: (first: Removable) => boolean,
): Removable[] | undefined {
  let best: Removable[] | undefined;
  for (const lane of lanes) {
    const [first] = lane;
    if (first === undefined || !may(first)) continue;
    const [oldest] = best ?? [];
    if (oldest === undefined || first.lastAtMs < oldest.lastAtMs) best = lane;
  }
  return best;
}

/**
 * What is to be removed now, in this order. `isArchived` is always true where there is no archive.
 * `segments` are all there are, of all streams.
 */
export function planRetention(
  segments: readonly SegmentInfo[],
  limits: RetentionLimits,
  nowMs: number,
  isArchived: (segment: SegmentInfo) => boolean,
): readonly Removal[] {
  const lanes = lanesOf(segments, nowMs);
  const removals: Removal[] = [];
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const removeFrom = (lane: Removable[], reason: Removal['reason']): void => {
    const first = lane.shift();
    if (first === undefined) return;
    bytes -= first.segment.bytes;
    removals.push({ segment: first.segment, reason, isLost: !isArchived(first.segment) });
  };
  const isOld = (first: Removable): boolean => nowMs - first.lastAtMs > limits.retentionMs;
  const isKept = (first: Removable): boolean => isArchived(first.segment);
  const removeWhile = (
    goesOn: () => boolean,
    may: (first: Removable) => boolean,
    reason: Removal['reason'],
  ): void => {
    while (goesOn()) {
      const lane = oldestLane(lanes, may);
      if (lane === undefined) return;
      removeFrom(lane, reason);
    }
  };
  const isOverdue = (first: Removable): boolean => isOld(first) && isKept(first);
  for (;;) {
    removeWhile(() => true, isOverdue, 'age');
    removeWhile(() => bytes > limits.budgetBytes, isKept, 'budget');
    // One loss at a time: behind it there may be archived segments, whose removal is none.
    const lane = bytes > limits.budgetBytes * 2 ? oldestLane(lanes, () => true) : undefined;
    if (lane === undefined) break;
    removeFrom(lane, 'budget');
  }
  return removals;
}
