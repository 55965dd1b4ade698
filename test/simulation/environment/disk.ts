// The disk of one stream: files in memory, writes that take a while, that may find no room, and of
// which a crash leaves any part. It carries out the effects of the production's segment log.
//
//   K1  What was acknowledged survives every crash.
//   K2  A write that a crash meets leaves some first part of its bytes, perhaps none or all.

import { assert } from '../../../src/base/assert.ts';
import type { LogEffect } from '../../../src/io/segments/segment-log.ts';
import { parseFileName, segmentName } from '../../../src/io/segments/segment-names.ts';
import type { OpenSource, SegmentFile } from '../../../src/io/segments/stream-chain.ts';
import type { Chance } from './chance.ts';
import type { Ground } from './ground.ts';

type File = { bytes: Buffer; length: number };

export class VirtualDisk {
  readonly #ground: Ground;
  readonly #chance: Chance;
  readonly #stream: string;
  readonly #files = new Map<string, File>();
  #held: string | undefined;
  /** The write that is under way, which a crash may tear. */
  #writing: Extract<LogEffect, { kind: 'write' }> | undefined;
  #isFull = false;
  #life = 0;
  /** Called once, when the next write has begun. */
  #onWrite: (() => void) | undefined;

  constructor(ground: Ground, chance: Chance, stream: string) {
    this.#ground = ground;
    this.#chance = chance;
    this.#stream = stream;
  }

  setFull(isFull: boolean): void {
    this.#isFull = isFull;
  }

  /** Tells once that a write has begun and is not finished yet. */
  whenWriting(told: (() => void) | undefined): void {
    this.#onWrite = told;
  }

  /** The power goes: the write under way is torn, and its answer never comes. */
  crash(): boolean {
    this.#life++;
    this.#held = undefined;
    const torn = this.#writing;
    this.#writing = undefined;
    return torn === undefined ? false : this.#tear(torn);
  }

  #tear(write: Extract<LogEffect, { kind: 'write' }>): boolean {
    const kept = this.#chance.between(0, write.bytes.length);
    this.#put(write.bytes.subarray(0, kept), write.offset);
    return kept > 0 && kept < write.bytes.length;
  }

  perform(effect: LogEffect, done: (bytes: number) => void, failed: (code: string) => void): void {
    const life = this.#life;
    const held = this.#held;
    if (effect.kind === 'write') {
      this.#writing = effect;
      this.#held = held;
    }
    this.#ground.timeline.after(this.#chance.between(0, 5), `disk ${effect.kind}`, () => {
      if (this.#life !== life) return;
      this.#writing = undefined;
      if (!this.#isFull || effect.kind !== 'write') {
        done(this.#carryOut(effect));
        return;
      }
      this.#ground.count('disk_full');
      this.#put(
        effect.bytes.subarray(0, this.#chance.between(0, effect.bytes.length - 1)),
        effect.offset,
      );
      failed('ENOSPC');
    });
    const told = this.#onWrite;
    if (effect.kind !== 'write' || told === undefined) return;
    this.#onWrite = undefined;
    told();
  }

  #carryOut(effect: LogEffect): number {
    switch (effect.kind) {
      case 'create':
        assert(!this.#files.has(effect.file), `${effect.file} is there already`);
        this.#files.set(effect.file, { bytes: Buffer.alloc(4096), length: 0 });
        this.#held = effect.file;
        return 0;
      case 'reopen':
        assert(this.#files.has(effect.file), `${effect.file} is not there`);
        this.#held = effect.file;
        return 0;
      case 'write':
        this.#put(this.#ground.conduct.writesBytes(effect.bytes), effect.offset);
        return effect.bytes.length;
      case 'truncate':
        this.#heldFile.length = effect.length;
        return 0;
      case 'finish': {
        const file = this.#heldFile;
        this.#files.delete(effect.from);
        this.#files.set(effect.to, file);
        this.#held = undefined;
        return 0;
      }
      case 'abandon':
        this.#held = undefined;
        return 0;
    }
  }

  get #heldFile(): File {
    const file = this.#held === undefined ? undefined : this.#files.get(this.#held);
    assert(file !== undefined, 'a write without an open file');
    return file;
  }

  #put(bytes: Uint8Array, offset: number): void {
    const name = this.#held ?? this.#newestOpen();
    const file = name === undefined ? undefined : this.#files.get(name);
    if (file === undefined) return;
    const end = offset + bytes.length;
    if (end > file.bytes.length) {
      const grown = Buffer.alloc(end * 2);
      file.bytes.copy(grown, 0, 0, file.length);
      file.bytes = grown;
    }
    file.bytes.set(bytes, offset);
    file.length = Math.max(file.length, end);
  }

  #newestOpen(): string | undefined {
    return [...this.#files.keys()]
      .filter((name) => name.endsWith('.open'))
      .sort()
      .at(-1);
  }

  /** The segments in ascending order, as the production's readers want them. */
  segments(): readonly SegmentFile[] {
    const found: SegmentFile[] = [];
    for (const [name, file] of this.#files) {
      const parsed = parseFileName(name);
      if (parsed === undefined) continue;
      const { number, isOpen } = parsed;
      const path = segmentName(this.#stream, number);
      found.push({ stream: this.#stream, number, isOpen, name: path, open: () => sourceOf(file) });
    }
    return found.sort((a, b) => a.number - b.number);
  }

  /** Every payload byte on it, for whoever looks for what must not be there. */
  contents(): readonly Buffer[] {
    return [...this.#files.values()].map(({ bytes, length }) => bytes.subarray(0, length));
  }
}

function sourceOf({ bytes, length }: File): OpenSource {
  return {
    size: length,
    read: (offset, wanted) => bytes.subarray(offset, Math.min(length, offset + wanted)),
    close: () => undefined,
  };
}
