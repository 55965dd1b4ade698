// The decision log in a folder, as a source of blocks, records and snapshots.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { BoundedMap } from '../../base/bounded-map.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { instant, toRfc3339 } from '../../base/time.ts';
import { decodeBlock } from '../../core/decisions/record-decoder.ts';
import { snapshotOfDocument } from '../../core/decisions/snapshot-document.ts';
import type { RoutingSnapshot } from '../../core/routing/snapshot.ts';
import { readRetentionNote } from '../../io/segments/retention-note.ts';
import type { SegmentFault } from '../../io/segments/segment-fault.ts';
import { listSegments } from '../../io/segments/segment-list.ts';
import { retentionNoteName, segmentName } from '../../io/segments/segment-names.ts';
import { type BlockPlace, findBlocksOf, readBlocks } from '../../io/segments/segment-reader.ts';
import { SnapshotFiles } from '../../io/segments/snapshot-files.ts';
import type { BlockSketch, LogBlock, LogFault, LogSource, LogWindow } from './log-source.ts';

/** Snapshots in memory; a thousand backends with ten models are some megabytes each. */
const snapshotsKept = 64;

type Removed = ReturnType<LogSource['removed']>;

function toLogFault({ name, sequence, offset, reason, expected, found }: SegmentFault): LogFault {
  return { kind: 'fault', where: 'segments', name, sequence, offset, reason, expected, found };
}

export class FolderSource implements LogSource {
  readonly #folder: string;
  readonly #files: SnapshotFiles;
  readonly #snapshots = new BoundedMap<string, RoutingSnapshot>(snapshotsKept);
  /** Digest -> what is wrong with it; told once. */
  readonly #broken = new Map<string, LogFault>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#files = new SnapshotFiles(folder);
  }

  *blocks({ fromMs, toMs, stream }: LogWindow): Generator<LogBlock | LogFault> {
    const options = {
      ...(fromMs === undefined ? {} : { fromMs }),
      ...(toMs === undefined ? {} : { toMs }),
      ...(stream === undefined ? {} : { stream }),
    };
    for (const item of readBlocks(this.#folder, options)) {
      // An open segment that ends inside a frame is being written.
      if (item.kind === 'unfinished') continue;
      yield item.kind === 'fault' ? toLogFault(item) : item;
    }
  }

  *sketches({ fromMs, toMs }: LogWindow): Generator<BlockSketch | LogFault> {
    const span = [fromMs ?? 0, toMs ?? Number.MAX_SAFE_INTEGER] as const;
    for (const item of findBlocksOf(this.#folder, ...span)) {
      yield item.kind === 'fault' ? toLogFault(item) : sketchOf(item);
    }
  }

  decode(block: LogBlock): ReturnType<typeof decodeBlock> {
    return decodeBlock(block.codec, block.payload);
  }

  snapshotOf(digest: string): RoutingSnapshot | undefined {
    const known = this.#snapshots.get(digest);
    if (known !== undefined || this.#broken.has(digest)) return known;
    const read = this.#read(digest);
    if (read.ok) this.#snapshots.set(digest, read.value);
    else this.#broken.set(digest, read.error);
    return read.ok ? read.value : undefined;
  }

  snapshotFaults(): readonly LogFault[] {
    return [...this.#broken.values()];
  }

  bytes(): number {
    return listSegments(this.#folder).reduce((sum, segment) => sum + segment.bytes, 0);
  }

  removed(): Removed {
    const segments = listSegments(this.#folder);
    const words: string[] = [];
    let throughMs: number | undefined;
    for (const stream of new Set(segments.map((segment) => segment.stream))) {
      const folder = join(this.#folder, stream);
      const note = readRetentionNote(folder);
      if (!note.ok || note.value === undefined) continue;
      const { removedThrough } = note.value;
      words.push(`${segmentName(stream, removedThrough)} and before ${whenWords(folder)}`);
      const first = segments.find(
        (segment) => segment.stream === stream && segment.number > removedThrough,
      )?.firstAtMs;
      if (first != null) throughMs = Math.max(throughMs ?? first, first);
    }
    if (words.length === 0) return undefined;
    return { throughMs, words: `Retention removed ${words.join(', ')}.` };
  }

  #read(digest: string): Result<RoutingSnapshot, LogFault> {
    const root = this.#document(digest);
    if (!root.ok) return root;
    const snapshot = snapshotOfDocument(root.value, (page) => this.#document(page));
    if (snapshot.ok) return ok(snapshot.value);
    if ('kind' in snapshot.error) return err(snapshot.error);
    const { code, message } = snapshot.error;
    const place = { name: digest, sequence: null, offset: null, reason: code };
    const sides = { expected: 'a snapshot document', found: message };
    return err({ kind: 'fault', where: 'snapshots', ...place, ...sides });
  }

  #document(digest: string): Result<unknown, LogFault> {
    const text = this.#files.get(digest);
    return text.ok ? ok(parsed(text.value)) : err({ kind: 'fault', ...text.error });
  }
}

/** The value; undefined for what is no JSON, which is no document either. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sketchOf(place: BlockPlace): BlockSketch {
  const { payload, kind: _, ...facts } = place;
  return {
    ...facts,
    read: () => {
      const bytes = payload();
      if (!bytes.ok) return toLogFault(bytes.error);
      return { kind: 'block', ...facts, payload: bytes.value };
    },
  };
}

/** When the note was written, which is when the segments went. */
function whenWords(folder: string): string {
  const stat = statSync(join(folder, retentionNoteName), { throwIfNoEntry: false });
  return stat === undefined ? '' : `on ${toRfc3339(instant(stat.mtimeMs))}`;
}
