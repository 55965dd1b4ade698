// Removes snapshots that no remaining segment can mean. Nothing counts who names what: a snapshot whose
// last use is older than the oldest record, by more than a day, cannot be named by one. The day is for
// marks that are made once an hour, for requests that go on under the snapshot they began with, and
// for clocks that are corrected.
//
// Programs that did not mark what they used leave files whose time says when they were written. So the
// first turn in a folder notes when it was, and no file counts as unused since before that.
//
//   U1  Where the beginning of one segment cannot be read, nothing goes.
//   U2  A file is looked at and removed in one step, so what is put again at the same time stays.

import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { isMissing, writePrivateFile } from '../files/private-file.ts';
import { headerBytesMax } from './segment-format.ts';
import type { SegmentInfo } from './segment-list.ts';
import { isSnapshotFile, marksNoteName, snapshotFolderName } from './segment-names.ts';

const slackMs = 86_400_000;
/** Files that are looked at before others have their turn; a millisecond or two. */
const filesPerSlice = 256;

/** An open segment that no block was written to yet: what comes is younger than everything. */
function isEmpty({ isOpen, bytes }: SegmentInfo): boolean {
  return isOpen && bytes > 0 && bytes <= headerBytesMax;
}

/**
 * Files last in use before this Unix ms can go; `nowMs` counts where there is no segment. Undefined
 * where a segment cannot say when it begins (U1).
 */
export function snapshotsUnusedBefore(
  segments: readonly SegmentInfo[],
  nowMs: number,
): number | undefined {
  const begun = segments.filter((segment) => !isEmpty(segment));
  const starts = begun.flatMap(({ firstAtMs }) => (firstAtMs === null ? [] : [firstAtMs]));
  return starts.length < begun.length ? undefined : Math.min(nowMs, ...starts) - slackMs;
}

/** Resolves with how many files went. `folder` is that of the decision log. */
export async function removeSnapshots(
  folder: string,
  beforeMs: number,
  nowMs: number,
): Promise<number> {
  const snapshots = join(folder, snapshotFolderName);
  if (markedSince(snapshots, nowMs) >= beforeMs) return 0;
  let removed = 0;
  for (const [i, file] of (await readdir(snapshots)).entries()) {
    if (i % filesPerSlice === filesPerSlice - 1) await breathe();
    const path = join(snapshots, file);
    const stat = isSnapshotFile(file) ? statSync(path, { throwIfNoEntry: false }) : undefined;
    if (stat === undefined || stat.mtimeMs >= beforeMs) continue;
    rmSync(path, { force: true });
    removed++;
  }
  return removed;
}

/** Since when files are marked in this folder, Unix ms: now, where nothing is noted that can be read. */
function markedSince(snapshots: string, nowMs: number): number {
  const path = join(snapshots, marksNoteName);
  let noted = Number.NaN;
  try {
    noted = Number(readFileSync(path, 'utf8').trim() || Number.NaN);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  if (Number.isSafeInteger(noted)) return noted;
  mkdirSync(snapshots, { recursive: true, mode: 0o700 });
  writePrivateFile(path, `${nowMs}\n`);
  return nowMs;
}
