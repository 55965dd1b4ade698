// A disk in memory for the segment log: it carries out effects, can be full, and can crash in the
// middle of any of them. Everything it does costs units, one for each byte written and one for each
// other effect; a crash comes when its units are spent, and leaves what was paid for.

import { present } from '../../base/assert.ts';
import type { LogEffect, OfferedBlock, SegmentLog } from './segment-log.ts';
import { parseFileName, segmentName } from './segment-names.ts';
import type { OpenSource, SegmentFile } from './stream-chain.ts';

export class Crash extends Error {}

export class MemoryDisk {
  readonly files = new Map<string, Buffer>();
  /** Until the crash. */
  units = Number.POSITIVE_INFINITY;
  /** Of all files together. */
  roomBytes = Number.POSITIVE_INFINITY;
  /** Bytes of a write that are taken at once. */
  writeBytesMax = Number.POSITIVE_INFINITY;
  spent = 0;
  #held: string | undefined;

  /** Answers one effect of the log, or crashes. */
  answer(log: SegmentLog, effect: LogEffect): void {
    if (effect.kind === 'write') this.#answerWrite(log, effect.bytes, effect.offset);
    else {
      this.#spend(1);
      this.#apply(effect);
      log.done();
    }
  }

  /** Carries out all that the log wants now. */
  drive(log: SegmentLog): void {
    for (let effect = log.next(); effect !== undefined; effect = log.next()) {
      this.answer(log, effect);
    }
  }

  /** After a crash: the same files under a new process. */
  restart(units = Number.POSITIVE_INFINITY): void {
    this.#held = undefined;
    this.units = units;
    this.spent = 0;
  }

  segments(stream: string): readonly SegmentFile[] {
    const found = [...this.files.keys()].sort().map((file): SegmentFile => {
      const { number, isOpen } = present(parseFileName(file), `a segment, not ${file}`);
      const name = segmentName(stream, number);
      return { stream, number, isOpen, name, open: () => sourceOf(this.#file(file)) };
    });
    return found.sort((a, b) => a.number - b.number);
  }

  get size(): number {
    return [...this.files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  }

  #file(name: string): Buffer {
    return present(this.files.get(name), name);
  }

  #spend(wanted: number): number {
    const paid = Math.min(wanted, this.units);
    this.units -= paid;
    this.spent += paid;
    if (paid < wanted && wanted === 1) throw new Crash();
    return paid;
  }

  #answerWrite(log: SegmentLog, wanted: Buffer, offset: number): void {
    const asked = wanted.subarray(0, Math.min(wanted.length, this.writeBytesMax));
    const fitting = Math.max(0, Math.min(asked.length, this.roomBytes - this.size));
    const paid = this.#spend(fitting);
    const name = present(this.#held, 'an open file');
    const before = this.#file(name);
    const written = Buffer.concat([before.subarray(0, offset), asked.subarray(0, paid)]);
    const rest = before.subarray(written.length);
    this.files.set(name, Buffer.concat([written, rest]));
    if (paid < fitting) throw new Crash();
    if (fitting < asked.length) log.failed('ENOSPC');
    else log.done(asked.length);
  }

  #apply(effect: Exclude<LogEffect, { kind: 'write' }>): void {
    switch (effect.kind) {
      case 'create':
        if (this.files.has(effect.file)) throw new Error(`${effect.file} is there already`);
        this.files.set(effect.file, Buffer.alloc(0));
        this.#held = effect.file;
        break;
      case 'reopen':
        this.#file(effect.file);
        this.#held = effect.file;
        break;
      case 'truncate': {
        const name = present(this.#held, 'an open file');
        this.files.set(name, this.#file(name).subarray(0, effect.length));
        break;
      }
      case 'finish':
        this.files.set(effect.to, this.#file(effect.from));
        this.files.delete(effect.from);
        this.#held = undefined;
        break;
      case 'abandon':
        this.#held = undefined;
        break;
    }
  }
}

function sourceOf(bytes: Buffer): OpenSource {
  return {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
    close: () => undefined,
  };
}

/** A block of `records` whose payload tells its number. */
export function numberedBlock(number: number, records = 3, bytes = 24): OfferedBlock {
  const payload = Buffer.alloc(bytes, 0x2e);
  payload.write(`block ${number} `);
  const at = 1_700_000_000_000 + number * 1_000;
  return { payload, records, firstAtMs: at, lastAtMs: at + 250, codec: 1, behaviour: 4 };
}
