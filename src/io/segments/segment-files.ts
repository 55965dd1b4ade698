// The files of the decision log on a disk, as what reading works on: the streams of a folder, the
// segments of a stream, the bytes of a segment. Synchronous, for worker threads and small look-ups;
// the threads that write do not come here after they have opened.

import {
  closeSync,
  type Dirent,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
} from 'node:fs';
import { join } from 'node:path';
import { compareNumbers, compareText } from '../../base/compare.ts';
import { isMissing } from '../files/private-file.ts';
import { readRetentionNote, startBehind } from './retention-note.ts';
import { type SegmentFault, wholeFileFault } from './segment-fault.ts';
import { isStreamName } from './segment-format.ts';
import { frameBytes, parseFrame, type SealFrame } from './segment-frame.ts';
import {
  openFileName,
  parseFileName,
  retentionNoteName,
  sealedFileName,
  segmentName,
  snapshotFolderName,
} from './segment-names.ts';
import { firstStart, type OpenSource, type SegmentFile, type StreamStart } from './stream-chain.ts';

export type StreamFiles = {
  readonly stream: string;
  readonly start: StreamStart;
  /** Ascending, those before the start left out. */
  readonly files: readonly SegmentFile[];
  /** What else is in the folder, and a note that cannot be read. */
  readonly faults: readonly SegmentFault[];
};

/** Small reads take so many bytes at once: with little traffic a segment has 100 000 small blocks. */
const windowBytes = 16_384;

function openSource(path: string): OpenSource {
  const descriptor = openSync(path, 'r');
  const { size } = fstatSync(descriptor);
  let window: Buffer = Buffer.alloc(0);
  let windowAt = 0;
  const read = (offset: number, length: number): Buffer => {
    const begin = offset - windowAt;
    const end = begin + Math.min(length, size - offset);
    if (begin >= 0 && end <= window.length) return window.subarray(begin, end);
    const bytes = readAt(
      descriptor,
      offset,
      Math.min(Math.max(length, windowBytes), size - offset),
    );
    if (length >= windowBytes) return bytes;
    window = bytes;
    windowAt = offset;
    return bytes.subarray(0, length);
  };
  return { size, read, close: () => closeSync(descriptor) };
}

/** A buffer of its own, since whoever asked may keep it. */
function readAt(descriptor: number, offset: number, wanted: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, wanted));
  let done = 0;
  while (done < wanted) {
    const count = readSync(descriptor, bytes, done, wanted - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

/** A segment may be sealed, and so change its name, between being listed and being opened. */
function openSegment(folder: string, stream: string, number: number): OpenSource {
  const sealed = join(folder, stream, sealedFileName(number));
  for (const path of [sealed, join(folder, stream, openFileName(number))]) {
    try {
      return openSource(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return openSource(sealed);
}

function openUnlessRemoved(folder: string, stream: string, number: number): OpenSource | undefined {
  try {
    return openSegment(folder, stream, number);
  } catch (error) {
    const note = isMissing(error) ? readRetentionNote(join(folder, stream)) : undefined;
    if (note?.ok === true && number <= (note.value?.removedThrough ?? 0)) return undefined;
    throw error;
  }
}

/** The seal at the end of a sealed segment; undefined where it cannot be believed. */
export function sealOf(source: OpenSource): SealFrame | undefined {
  if (source.size < frameBytes) return undefined;
  const bytes = source.read(source.size - frameBytes, frameBytes);
  const parsed = bytes.length === frameBytes ? parseFrame(bytes) : undefined;
  return parsed?.ok === true && parsed.value.kind === 'seal' ? parsed.value : undefined;
}

function entriesOf(path: string): readonly Dirent[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.sort((a, b) => compareText(a.name, b.name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** A file that is written beside its place and renamed; a crash may leave one. */
function isTemporary(name: string): boolean {
  return name.endsWith('.tmp');
}

/** The streams of a folder, by name, and what else is there; none where there is no folder yet. */
export function listStreams(folder: string): {
  readonly streams: readonly string[];
  readonly faults: readonly SegmentFault[];
} {
  const streams: string[] = [];
  const faults: SegmentFault[] = [];
  for (const entry of entriesOf(folder)) {
    const { name } = entry;
    if (entry.isDirectory() && isStreamName(name)) streams.push(name);
    else if (name !== snapshotFolderName && !isTemporary(name)) faults.push(foreign(name));
  }
  return { streams, faults };
}

function foreign(name: string): SegmentFault {
  return wholeFileFault(name, 'foreign_file', 'segments of the log only', 'another file');
}

function startOf(folder: string, stream: string, faults: SegmentFault[]): StreamStart {
  const note = readRetentionNote(join(folder, stream));
  if (note.ok) return note.value === undefined ? firstStart() : startBehind(note.value);
  const name = `${stream}/${retentionNoteName}`;
  faults.push(wholeFileFault(name, 'bad_note', 'a note of retention', note.error.message));
  return firstStart();
}

/** The first number behind `number` that is missing, unless it is there after all. */
function missedBehind(folder: string, stream: string, number: number): number | undefined {
  const names = [sealedFileName(number + 1), openFileName(number + 1)];
  return names.some((name) => existsSync(join(folder, stream, name))) ? number + 1 : undefined;
}

/** Numbers of the segments of a folder, and whether they are open. */
function numbersOf(folder: string, stream: string, faults: SegmentFault[]): Map<number, boolean> {
  const found = new Map<number, boolean>();
  for (const { name } of entriesOf(join(folder, stream))) {
    const parsed = parseFileName(name);
    // Sorted by name, so that a segment with both names, caught while it was sealed, is sealed.
    if (parsed !== undefined && !found.has(parsed.number)) found.set(parsed.number, parsed.isOpen);
    if (parsed !== undefined || name === retentionNoteName || isTemporary(name)) continue;
    faults.push(foreign(`${stream}/${name}`));
  }
  // A segment that was sealed while the folder was read may have been seen under neither name.
  for (const number of [...found.keys()]) {
    if (found.has(number + 1) || Math.max(...found.keys()) === number) continue;
    const missed = missedBehind(folder, stream, number);
    if (missed !== undefined) found.set(missed, false);
  }
  return found;
}

/** What is in the folder of one stream. */
export function readStreamFiles(folder: string, stream: string): StreamFiles {
  const faults: SegmentFault[] = [];
  const numbers = numbersOf(folder, stream, faults);
  const start = startOf(folder, stream, faults);
  const files = [...numbers]
    .filter(([number]) => number >= start.number)
    .sort(([a], [b]) => compareNumbers(a, b))
    .map(([number, isOpen]) => ({
      stream,
      number,
      isOpen,
      name: segmentName(stream, number),
      open: () => openUnlessRemoved(folder, stream, number),
    }));
  return { stream, start, files, faults };
}

/** What `read` makes of the segment; undefined when retention removed it. Throws as `open` does. */
export function readSegment<T>(file: SegmentFile, read: (source: OpenSource) => T): T | undefined {
  const source = file.open();
  try {
    return source === undefined ? undefined : read(source);
  } finally {
    source?.close();
  }
}
