// Keeps the decision log within its disk budget and its time: archives sealed segments, then
// removes the oldest (retention-plan.ts says which). The control thread asks it for a turn now and
// then.
//
//   G1  Before a file goes, a note on disk says so (retention-note.ts), and where there is an
//       archive the file is in it, unless the loss is told.
//   G2  One turn at a time; a turn that is asked for during another is that one.
//   G3  An archive that fails ends archiving for this turn, not the removal of what is archived.
//   G4  Behind the segments, the snapshots go that nothing left can mean (snapshot-retention.ts): at
//       the first turn, and at most once an hour after a removal.

import { rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectStore } from '../objects/object-store.ts';
import { readRetentionNote, writeRetentionNote } from './retention-note.ts';
import {
  closedSegments,
  planRetention,
  type Removal,
  type RetentionLimits,
} from './retention-plan.ts';
import { errorCode } from './segment-fault.ts';
import { listStreams } from './segment-files.ts';
import { listSegments, type SegmentInfo } from './segment-list.ts';
import { openFileName, parseFileName, retentionNoteName, sealedFileName } from './segment-names.ts';
import { removeSnapshots, snapshotsUnusedBefore } from './snapshot-retention.ts';

export type KeeperNote =
  | { readonly kind: 'archived'; readonly name: string; readonly key: string }
  | { readonly kind: 'archive_failed'; readonly name: string; readonly reason: string }
  | ({ readonly kind: 'removed'; readonly name: string } & Pick<Removal, 'reason' | 'isLost'>)
  | { readonly kind: 'remove_failed'; readonly name: string; readonly reason: string };

export type KeeperOptions = RetentionLimits & {
  readonly folder: string;
  /** Where sealed segments go before they are removed. */
  readonly archive?: ObjectStore;
  readonly onNote: (note: KeeperNote) => void;
};

/** Bytes and segments as of the last turn, the rest since the start. */
export type KeeperStats = {
  readonly bytes: number;
  readonly segments: number;
  readonly removed: number;
  readonly archived: number;
  readonly archiveFailures: number;
  /** Removed without having been archived, where that was wanted. */
  readonly lost: number;
  readonly snapshotsRemoved: number;
};

const hourMs = 3_600_000;

/**
 * `t0/00000001-9f86d081884c7d65.tfd`: with the beginning of its hash, so that a log that began anew
 * does not take an older segment of the same number for its own.
 */
function archiveKey(segment: SegmentInfo): string {
  const digest = segment.hash?.slice(0, 16) ?? 'damaged';
  return `${segment.stream}/${sealedFileName(segment.number).replace('.', `-${digest}.`)}`;
}

export class SegmentKeeper {
  readonly #options: KeeperOptions;
  /** Keys that are known to be in the archive. */
  readonly #archived = new Set<string>();
  #turn: Promise<void> | undefined;
  #hasSwept = false;
  /** When, and how many segments had been removed by then. */
  #snapshotsTended: { readonly atMs: number; readonly removed: number } | undefined;
  #stats: KeeperStats = {
    bytes: 0,
    segments: 0,
    removed: 0,
    archived: 0,
    archiveFailures: 0,
    lost: 0,
    snapshotsRemoved: 0,
  };

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  stats(): KeeperStats {
    return this.#stats;
  }

  /** One turn: archive, note, remove. Rejects only where the folder itself cannot be read. */
  tend(nowMs: number): Promise<void> {
    this.#turn ??= this.#tend(nowMs).finally(() => {
      this.#turn = undefined;
    });
    return this.#turn;
  }

  async #tend(nowMs: number): Promise<void> {
    const { folder } = this.#options;
    if (!this.#hasSwept) await this.#sweep();
    this.#hasSwept = true;
    const segments = listSegments(folder);
    await this.#archive(closedSegments(segments));
    const isArchived = (segment: SegmentInfo): boolean =>
      this.#options.archive === undefined || this.#archived.has(archiveKey(segment));
    for (const removal of planRetention(segments, this.#options, nowMs, isArchived)) {
      this.#remove(removal);
    }
    const left = listSegments(folder);
    const bytes = left.reduce((sum, segment) => sum + segment.bytes, 0);
    this.#stats = { ...this.#stats, bytes, segments: left.length };
    await this.#tendSnapshots(left, nowMs);
  }

  async #tendSnapshots(left: readonly SegmentInfo[], nowMs: number): Promise<void> {
    const { removed } = this.#stats;
    const last = this.#snapshotsTended;
    const isDue = last === undefined || (removed > last.removed && nowMs - last.atMs >= hourMs);
    const beforeMs = isDue ? snapshotsUnusedBefore(left, nowMs) : undefined;
    if (beforeMs === undefined) return;
    this.#snapshotsTended = { atMs: nowMs, removed };
    const gone = await removeSnapshots(this.#options.folder, beforeMs, nowMs);
    this.#stats = { ...this.#stats, snapshotsRemoved: this.#stats.snapshotsRemoved + gone };
  }

  async #archive(segments: readonly SegmentInfo[]): Promise<void> {
    const { archive, folder, onNote } = this.#options;
    if (archive === undefined) return;
    for (const segment of segments) {
      const { name, stream, number, isOpen } = segment;
      const key = archiveKey(segment);
      if (this.#archived.has(key)) continue;
      const file = isOpen ? openFileName(number) : sealedFileName(number);
      try {
        const isThere = await archive.has(key);
        if (!isThere) await archive.put(key, { path: join(folder, stream, file) });
        this.#archived.add(key);
        if (isThere) continue;
        this.#count('archived');
        onNote({ kind: 'archived', name, key });
      } catch (error) {
        this.#count('archiveFailures');
        onNote({ kind: 'archive_failed', name, reason: errorCode(error) });
        return;
      }
    }
  }

  #count(figure: 'removed' | 'archived' | 'archiveFailures' | 'lost'): void {
    this.#stats = { ...this.#stats, [figure]: this.#stats[figure] + 1 };
  }

  #remove({ segment, reason, isLost }: Removal): void {
    const { folder, onNote } = this.#options;
    const { stream, number: removedThrough, name, hash, nextSequence: sequence } = segment;
    const streamFolder = join(folder, stream);
    try {
      writeRetentionNote(streamFolder, { removedThrough, hash, sequence });
      removeFiles(streamFolder, removedThrough);
    } catch (error) {
      onNote({ kind: 'remove_failed', name, reason: errorCode(error) });
      return;
    }
    this.#archived.delete(archiveKey(segment));
    this.#count('removed');
    if (isLost) this.#count('lost');
    onNote({ kind: 'removed', name, reason, isLost });
  }

  /** What a crash left: segments that a note counts as removed, halves of a note. */
  async #sweep(): Promise<void> {
    for (const stream of listStreams(this.#options.folder).streams) {
      const streamFolder = join(this.#options.folder, stream);
      const note = readRetentionNote(streamFolder);
      const through = note.ok ? (note.value?.removedThrough ?? 0) : 0;
      for (const file of await readdir(streamFolder)) {
        const number = parseFileName(file)?.number;
        if (number !== undefined && number <= through) removeFiles(streamFolder, number);
        const isHalf = file.startsWith(`${retentionNoteName}.`) && file.endsWith('.tmp');
        if (isHalf) rmSync(join(streamFolder, file), { force: true });
      }
    }
  }
}

function removeFiles(streamFolder: string, number: number): void {
  for (const file of [sealedFileName(number), openFileName(number)]) {
    rmSync(join(streamFolder, file), { force: true });
  }
}
