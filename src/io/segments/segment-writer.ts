// Carries out what the log of a stream decides (segment-log.ts) on one file descriptor, with
// callbacks: for a gateway thread, which must never wait for a disk. After `open` nothing here is
// synchronous but one hash, one checksum and one copy for each block.

import { close, fsync, ftruncate, mkdirSync, open, rename, write } from 'node:fs';
import { join } from 'node:path';
import { present, unreachable } from '../../base/assert.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { errorCode } from './segment-fault.ts';
import { readStreamFiles } from './segment-files.ts';
import {
  type LogEffect,
  type LogNote,
  type LogOptions,
  type LogStats,
  type OfferedBlock,
  type SealedSegment,
  SegmentLog,
} from './segment-log.ts';
import { type Recovered, recoverStream } from './segment-recovery.ts';

export type { SealedSegment } from './segment-log.ts';

/** 8 MiB: some 128 blocks of a disk that does not answer. */
const defaultQueueBytes = 8 * 1024 * 1024;

export type WriterOptions = Omit<LogOptions, 'queueBytes'> & {
  /** Of the whole log; the stream gets a folder in it. */
  readonly folder: string;
  readonly queueBytes?: number;
  /** Unix ms. */
  readonly now: () => number;
  /** A segment is sealed and will not change any more: time to keep its hash elsewhere. */
  readonly onSealed: (sealed: SealedSegment) => void;
  /** Writing fails, works again, or was given up at the end: once for each change. */
  readonly onTrouble: (words: string, trouble: Trouble) => void;
};

type Trouble = Exclude<LogNote, { kind: 'sealed' }>;

function troubleWords(stream: string, trouble: Trouble): string {
  const log = `decision log of ${stream}`;
  switch (trouble.kind) {
    case 'full':
      return `${log} cannot be written (${trouble.code}); it is tried again every second`;
    case 'resumed':
      return `${log} is written again; ${trouble.dropped} records were dropped meanwhile`;
    case 'given_up':
      return `${log} was closed unwritten (${trouble.code}); ${trouble.lost} records are lost`;
    default:
      return unreachable(trouble);
  }
}

export class SegmentWriter {
  /** What the last run left: bytes of a torn block, and records of a segment that was not sealed. */
  readonly found: Pick<Recovered, 'cutBytes' | 'keptRecords'>;
  readonly #options: WriterOptions;
  readonly #folder: string;
  readonly #log: SegmentLog;
  #descriptor: number | undefined;
  /** Is an effect under way? */
  #isBusy = false;
  readonly #whenSettled: (() => void)[] = [];
  readonly #whenClosed: (() => void)[] = [];

  /**
   * Looks at the last segment of the stream, synchronously, and begins to cut and seal what is
   * left of it. Throws `bad_state` where a newer program wrote it, and the system's error where
   * the folder cannot be made or read.
   */
  static open(options: WriterOptions): SegmentWriter {
    const { folder, stream } = options;
    mkdirSync(join(folder, stream), { recursive: true, mode: 0o700 });
    const { files, start } = readStreamFiles(folder, stream);
    const recovered = recoverStream(files, start);
    if (!recovered.ok) throw new TensorForgeError('bad_state', recovered.error.message);
    const writer = new SegmentWriter(options, recovered.value);
    writer.#pump();
    return writer;
  }

  private constructor(options: WriterOptions, recovered: Recovered) {
    const { cutBytes, keptRecords } = recovered;
    const { stream, program, segmentBytes, onFull, queueBytes = defaultQueueBytes } = options;
    this.found = { cutBytes, keptRecords };
    this.#options = options;
    this.#folder = join(options.folder, stream);
    const settings = { stream, program, segmentBytes, onFull, queueBytes };
    this.#log = new SegmentLog(settings, recovered, options.now());
  }

  /** Takes the block, to be written in a moment; false: dropped, and counted. Never waits. */
  write(block: OfferedBlock): boolean {
    const isTaken = this.#log.offer(block);
    this.tick(this.#options.now());
    return isTaken;
  }

  /** To be called about once a second, with the clock of `now`: what failed is tried again. */
  tick(nowMs: number): void {
    this.#log.tick(nowMs);
    this.#pump();
  }

  /** False when requests are to be refused, because their decisions could not be kept. */
  get mayRecord(): boolean {
    return this.#log.mayRecord();
  }

  stats(): LogStats {
    return this.#log.stats();
  }

  /** Resolves when all that was taken is written, or cannot be written for now. */
  settled(): Promise<void> {
    return this.#when(this.#whenSettled);
  }

  /** Writes what is queued and seals; gives up at the first failure. Never rejects. */
  close(): Promise<void> {
    this.#log.close();
    return this.#when(this.#whenClosed);
  }

  #when(list: (() => void)[]): Promise<void> {
    return new Promise((resolve) => {
      list.push(resolve);
      this.#pump();
    });
  }

  #pump(): void {
    const effect = this.#log.next();
    this.#tell();
    if (effect !== undefined) {
      this.#isBusy = true;
      this.#carryOut(effect);
    } else if (!this.#isBusy) {
      for (const resolve of this.#whenSettled.splice(0)) resolve();
      if (this.#log.stats().state !== 'closed') return;
      for (const resolve of this.#whenClosed.splice(0)) resolve();
    }
  }

  #tell(): void {
    for (const note of this.#log.takeNotes()) {
      if (note.kind === 'sealed') this.#options.onSealed(note);
      else this.#options.onTrouble(troubleWords(this.#options.stream, note), note);
    }
  }

  #answer(error: Error | null, bytes?: number): void {
    this.#isBusy = false;
    this.#log.tick(this.#options.now());
    if (error === null) this.#log.done(bytes);
    else this.#log.failed(errorCode(error));
    this.#pump();
  }

  #carryOut(effect: LogEffect): void {
    if (effect.kind === 'create') this.#open(effect.file, 'wx');
    else if (effect.kind === 'reopen') this.#open(effect.file, 'r+');
    else if (effect.kind === 'write') this.#write(effect.bytes, effect.offset);
    else if (effect.kind === 'truncate') this.#truncate(effect.length);
    else if (effect.kind === 'finish') this.#finish(effect.from, effect.to);
    else this.#close();
  }

  #held(): number {
    return present(this.#descriptor, 'an open segment');
  }

  #open(file: string, flags: string): void {
    open(join(this.#folder, file), flags, 0o600, (error, descriptor) => {
      if (error === null) this.#descriptor = descriptor;
      this.#answer(error);
    });
  }

  #write(bytes: Buffer, offset: number): void {
    write(this.#held(), bytes, 0, bytes.length, offset, (error, written) => {
      const stuck = error === null && written === 0 ? new Error('nothing was written') : error;
      this.#answer(stuck, written);
    });
  }

  #truncate(length: number): void {
    ftruncate(this.#held(), length, (error) => this.#answer(error));
  }

  /** The name changes when the bytes are on the disk, so that `sealed` holds after a power failure. */
  #finish(from: string, to: string): void {
    fsync(this.#held(), (unsynced) => {
      if (unsynced !== null) return this.#answer(unsynced);
      rename(join(this.#folder, from), join(this.#folder, to), (unnamed) => {
        if (unnamed !== null) return this.#answer(unnamed);
        this.#close();
      });
    });
  }

  /** What close tells is not acted on: the descriptor is gone either way. */
  #close(): void {
    const descriptor = this.#held();
    this.#descriptor = undefined;
    close(descriptor, () => this.#answer(null));
  }
}
