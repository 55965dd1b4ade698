// The decision log: what was acknowledged is there after every crash, sequences have no hole that
// nobody told, what is read back verifies, and every decision made again is the one recorded (RD9),
// by decoders that know their version (RD11).

import { present } from '../../../src/base/assert.ts';
import type { Json } from '../../../src/base/canonical.ts';
import { currentBehaviour } from '../../../src/core/decisions/behaviour.ts';
import type { BlockCursor } from '../../../src/core/decisions/block-cursor.ts';
import { cursorOf, recordAt } from '../../../src/core/decisions/record-decoder.ts';
import { currentCodec } from '../../../src/core/decisions/record-encoder.ts';
import { Redecider } from '../../../src/core/decisions/redecide.ts';
import { evaluateAgain, modeRecordName } from '../../../src/core/policy/mode-record.ts';
import type { RoutingSnapshot } from '../../../src/core/routing/snapshot.ts';
import { faultWords } from '../../../src/io/segments/segment-fault.ts';
import {
  firstStart,
  followStream,
  type SegmentBlock,
  type SegmentFile,
} from '../../../src/io/segments/stream-chain.ts';
import { demand } from './violation.ts';

type Book = {
  /** Records made since the last opening. */
  recorded: number;
  /** Of those, handed over in blocks. */
  offered: number;
  dropped: number;
  /** Sequence at the last opening. */
  openedAt: number;
  /** Behind the last record that the disk has acknowledged. */
  kept: number;
};

/** What reads and decides again; one for all streams of a world. */
export type LogReaders = { readonly redecider: Redecider; readonly cursor: BlockCursor };

type LogFindings = { readonly decisions: number; readonly records: number };

export class LogChecker {
  readonly #books = new Map<string, Book>();

  #book(stream: string): Book {
    const known = this.#books.get(stream);
    if (known !== undefined) return known;
    const book = { recorded: 0, offered: 0, dropped: 0, openedAt: 1, kept: 1 };
    this.#books.set(stream, book);
    return book;
  }

  /** A stream goes on at `sequence` after whatever happened to it. */
  opened(stream: string, sequence: number): void {
    const book = this.#book(stream);
    const most = book.openedAt + book.offered;
    demand('gapless', sequence >= book.kept, () => {
      return `${stream} goes on at ${sequence}, but everything before ${book.kept} was acknowledged`;
    });
    demand('gapless', sequence <= most, () => `${stream} goes on at ${sequence}, ${most} was next`);
    book.recorded = 0;
    book.offered = 0;
    book.openedAt = sequence;
    book.kept = sequence;
  }

  recorded(stream: string): void {
    this.#book(stream).recorded++;
  }

  offered(stream: string, records: number, isTaken: boolean): void {
    const book = this.#book(stream);
    book.offered += records;
    if (!isTaken) book.dropped += records;
    demand('gapless', book.offered === book.recorded, () => {
      return `${stream} was offered ${book.offered} of ${book.recorded} records`;
    });
  }

  kept(stream: string, sequence: number): void {
    const book = this.#book(stream);
    demand('gapless', sequence >= book.kept, () => `${stream} forgets ${sequence}..${book.kept}`);
    book.kept = sequence;
  }

  /** The end: reads a stream back as replay does. */
  atEnd(stream: string, files: readonly SegmentFile[], readers: LogReaders): LogFindings {
    const book = this.#book(stream);
    let next = 1;
    let decisions = 0;
    let records = 0;
    for (const item of followStream(files, firstStart(), {
      wants: () => true,
      seal: () => undefined,
    })) {
      if (item.kind === 'fault') demand('gapless', false, () => faultWords(item));
      if (item.kind !== 'block') continue;
      demand('gapless', item.sequence === next + item.dropped, () => {
        return `${item.name} at ${item.offset}: record ${item.sequence} where ${next} is next`;
      });
      next = item.sequence + item.records;
      records += item.records;
      decisions += this.#replay(item, readers);
    }
    const most = book.openedAt + book.offered;
    demand('gapless', next >= book.kept, () => `${stream} ends at ${next}, ${book.kept} was kept`);
    demand('calm', next === most, () => `${stream} ends at ${next}, ${most} were recorded`);
    return { decisions, records };
  }

  #replay(block: SegmentBlock, { redecider, cursor }: LogReaders): number {
    const place = `${block.name} at ${block.offset}`;
    demand('RD11', block.codec === currentCodec, () => `${place}: written in codec ${block.codec}`);
    cursor.open(block.payload);
    let decisions = 0;
    let records = 0;
    while (cursor.next()) {
      records++;
      if (cursor.kind === 'settled') continue;
      const record = recordAt(cursor);
      demand('RD11', record.ok, () => `${place}: ${record.ok ? '' : record.error.message}`);
      if (!record.ok) continue;
      decisions++;
      const again = redecider.redecide(record.value);
      demand('RD9', again.kind === 'same', () => {
        return `${place}: made again ${JSON.stringify(again)} of ${JSON.stringify(record.value)}`;
      });
    }
    const { fault } = cursor;
    demand('RD11', fault === undefined, () => `${place}: ${fault?.message}`);
    demand('gapless', records === block.records, () => {
      return `${place}: ${records} records in a block of ${block.records}`;
    });
    return decisions;
  }
}

export function logReaders(
  snapshotOf: (digest: string) => RoutingSnapshot | undefined,
): LogReaders {
  const control = new Map([[modeRecordName, ladderAgain]]);
  const redecider = new Redecider({ snapshotOf, behaviour: currentBehaviour, control });
  return { redecider, cursor: cursorOfToday() };
}

/** The reader of what is written today; one that nobody knows is refused and named (RD11). */
function cursorOfToday(): BlockCursor {
  const unknown = cursorOf(99);
  const isRefused = !unknown.ok && unknown.error.code === 'unknown_version';
  demand('RD11', isRefused, () => 'a codec that nobody knows is read all the same');
  const known = cursorOf(currentCodec);
  return present(known.ok ? known.value : undefined, 'a reader of the present codec');
}

/** An evaluation of the mode from what was recorded of it. */
function ladderAgain(recorded: Json): Json | undefined {
  const again = evaluateAgain(recorded);
  return again.ok ? again.value : undefined;
}
