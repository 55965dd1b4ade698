// Goal: every damage of the files is told with its place, nothing is passed over, and what is whole
// is still read. Method: one log of two streams in a folder, written by the machine, is damaged in
// one way after another: cut at every byte, every bit of a region flipped, blocks swapped and
// removed, content edited with more and more of the checks repaired.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { present } from '../../base/assert.ts';
import { MemoryDisk, numberedBlock } from './memory-disk.test-support.ts';
import { writeRetentionNote } from './retention-note.ts';
import { type DamageReason, faultWords } from './segment-fault.ts';
import { linkHash } from './segment-format.ts';
import { frameBytes } from './segment-frame.ts';
import { SegmentLog } from './segment-log.ts';
import { readBlocks } from './segment-reader.ts';
import { recoverStream } from './segment-recovery.ts';
import { type Anchor, type LogReport, verifySegments } from './segment-verify.ts';
import { firstStart } from './stream-chain.ts';

const blocksOfStream = 9;
/** Three blocks to a segment. */
const segmentBytes = 560;
const anchors: Anchor[] = [];

/** Writes a stream of sealed segments into the folder. */
function writeStream(folder: string, stream: string): void {
  const disk = new MemoryDisk();
  const recovered = recoverStream([], firstStart());
  assert.ok(recovered.ok);
  const options = { stream, program: 'test 1', queueBytes: 100_000, onFull: 'drop' as const };
  const log = new SegmentLog({ ...options, segmentBytes }, recovered.value, 1_700_000_000_000);
  for (let number = 0; number < blocksOfStream; number++) log.offer(numberedBlock(number));
  log.close();
  disk.drive(log);
  for (const note of log.takeNotes()) if (note.kind === 'sealed') anchors.push(note);
  mkdirSync(join(folder, stream));
  for (const [file, bytes] of disk.files) writeFileSync(join(folder, stream, file), bytes);
}

const root = mkdtempSync(join(tmpdir(), 'tensorforge-segments-'));
const whole = join(root, 'whole');
const folder = join(root, 'damaged');

before(() => {
  mkdirSync(whole);
  writeStream(whole, 't0');
  writeStream(whole, 't1');
});
after(() => rmSync(root, { recursive: true, force: true }));

function path(file: string): string {
  return join(folder, file);
}

function bytesOf(file: string): Buffer {
  return readFileSync(join(whole, file));
}

/** Where the header, the frames and the seal of a segment of the whole log begin, and its end. */
function placesOf(file: string): readonly number[] {
  const bytes = bytesOf(file);
  const places = [0, bytes.readUInt16LE(10)];
  for (let at = places[1] ?? 0; at < bytes.length; places.push(at)) {
    at += frameBytes + bytes.readUInt32LE(at + 4);
  }
  return places;
}

type Told = {
  readonly name: string;
  readonly reason: DamageReason;
  readonly offset: number | null;
  readonly sequence: number | null;
};

function told(report: LogReport): readonly Told[] {
  assert.equal(report.faultCount, report.faults.length);
  return report.faults.map(({ name, reason, offset, sequence }) => {
    return { name, reason, offset, sequence };
  });
}

/** Writes the bytes to the file, verifies, and puts the file back. */
function damagedBy(file: string, bytes: Buffer, held: readonly Anchor[] = []): readonly Told[] {
  writeFileSync(path(file), bytes);
  const found = told(verifySegments(folder, { anchors: held }));
  writeFileSync(path(file), bytesOf(file));
  return found;
}

function edited(bytes: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}

/** Makes the checksums of the frame at `at` fit. */
function repairChecksums(bytes: Buffer, at: number): void {
  const length = bytes.readUInt32LE(at + 4);
  if (length > 0) {
    const payload = bytes.subarray(at + frameBytes, at + frameBytes + length);
    bytes.writeUInt32LE(crc32(payload), at + 52);
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(at, at + 88)), at + 88);
}

/** Makes checksums and hashes fit, from the frame `first` on to the seal. */
function repairAll(bytes: Buffer, places: readonly number[], first: number): void {
  for (const at of places.slice(first, -1)) {
    const length = bytes.readUInt32LE(at + 4);
    repairChecksums(bytes, at);
    const before = places[places.indexOf(at) - 1] ?? 0;
    const header = bytes.subarray(0, places[1]);
    const previous =
      before === 0
        ? linkHash(header.subarray(header.length - 36, header.length - 4), header)
        : bytes.subarray(before + 56, before + 88);
    const payload = bytes.subarray(at + frameBytes, at + frameBytes + length);
    linkHash(Buffer.from(previous), bytes.subarray(at, at + 56), payload).copy(bytes, at + 56);
    repairChecksums(bytes, at);
  }
}

const middle = 't0/00000002.tfd';
const last = 't0/00000003.tfd';

describe('decision log: damage', () => {
  beforeEach(() => cpSync(whole, folder, { recursive: true }));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const recordsRead = (): number =>
    [...readBlocks(folder)].reduce((sum, item) => {
      return item.kind === 'block' ? sum + item.records : sum;
    }, 0);
  const allRecords = 2 * blocksOfStream * 3;

  test('a whole log verifies with its totals, and against its anchors', () => {
    const report = verifySegments(folder, { anchors });
    assert.deepEqual(told(report), []);
    const { segments, blocks, records, dropped, unfinished } = report;
    assert.deepEqual(
      { segments, blocks, records, dropped, unfinished },
      { segments: 6, blocks: 18, records: allRecords, dropped: 0, unfinished: [] },
    );
    const [stream] = report.streams;
    assert.equal(stream?.sequence, blocksOfStream * 3);
    assert.equal(stream?.hash, anchors[2]?.hash);
    assert.equal(stream?.lastAtMs, 1_700_000_008_250);
  });

  test('a file cut at any byte of its last two blocks or its seal is truncated there', () => {
    const bytes = bytesOf(last);
    const places = placesOf(last);
    const [second = 0, third = 0, seal = 0] = places.slice(2);
    const begin = { [second]: 22, [third]: 25, [seal]: 28 };
    for (let length = second; length < bytes.length; length++) {
      const offset = length < third ? second : length < seal ? third : seal;
      // A frame that is there tells the sequence of its block, whose payload is cut.
      const sequence = begin[offset];
      const found = damagedBy(last, bytes.subarray(0, length));
      assert.deepEqual(found, [{ name: last, reason: 'truncated', offset, sequence }]);
    }
  });

  test('a flipped bit in header, frame, payload or seal is told at its place, and only there', () => {
    const bytes = bytesOf(middle);
    const places = placesOf(middle);
    const [, first = 0, second = 0, third = 0, seal = 0] = places;
    const sequences = new Map([
      [0, 10],
      [first, 10],
      [second, 13],
      [third, 16],
      [seal, 19],
    ]);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = edited(bytes, (copy) =>
        copy.writeUInt8((copy[at] ?? 0) ^ (1 << (at % 8)), at),
      );
      const offset = present(
        places.findLast((place) => place <= at),
        'a place',
      );
      const found = damagedBy(middle, flipped);
      const sequence = sequences.get(offset);
      const reason = offset === 0 ? 'bad_header' : 'bad_crc';
      // A header may pretend to be longer than the file.
      const cut = found[0]?.reason === 'truncated' && at >= 10 && at < 12 ? 'truncated' : reason;
      assert.deepEqual(found, [{ name: middle, reason: cut, offset, sequence }], `byte ${at}`);
    }
  });

  test('reading goes on behind damage, and says where', () => {
    const [, first = 0, second = 0] = placesOf(middle);
    writeFileSync(
      path(middle),
      edited(bytesOf(middle), (copy) => copy.writeUInt8(0, first + 8)),
    );
    const items = [...readBlocks(folder, { stream: 't0' })];
    const fault = present(
      items.find((item) => item.kind === 'fault'),
      'a fault',
    );
    assert.equal(fault.resumesAt, second);
    assert.equal(items.filter((item) => item.kind === 'block').length, blocksOfStream - 1);
    assert.match(faultWords(fault), /^t0\/00000002\.tfd at byte \d+, record 10: bad_crc, expected/);
    assert.equal(recordsRead(), allRecords - 3);
  });

  test('two blocks that were swapped: the one too early is a gap, the other out of order', () => {
    const bytes = bytesOf(middle);
    const [, first = 0, second = 0, third = 0] = placesOf(middle);
    const swapped = Buffer.concat([
      bytes.subarray(0, first),
      bytes.subarray(second, third),
      bytes.subarray(first, second),
      bytes.subarray(third),
    ]);
    assert.deepEqual(damagedBy(middle, swapped), [
      { name: middle, reason: 'gap', offset: first, sequence: 13 },
      { name: middle, reason: 'reordered', offset: first + (third - second), sequence: 10 },
    ]);
  });

  test('a block that was removed leaves a gap, also as the first or last of its segment', () => {
    const bytes = bytesOf(middle);
    const [, first = 0, second = 0, third = 0, seal = 0] = placesOf(middle);
    const without = (from: number, to: number): Buffer =>
      Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
    assert.deepEqual(damagedBy(middle, without(second, third)), [
      { name: middle, reason: 'gap', offset: second, sequence: 16 },
    ]);
    assert.deepEqual(damagedBy(middle, without(first, second)), [
      { name: middle, reason: 'gap', offset: first, sequence: 13 },
    ]);
    assert.deepEqual(damagedBy(middle, without(third, seal)), [
      { name: middle, reason: 'bad_hash', offset: third, sequence: 16 },
    ]);
    assert.deepEqual(damagedBy(middle, without(first, seal)), [
      { name: middle, reason: 'bad_hash', offset: first, sequence: 10 },
    ]);
  });

  test('a segment that is missing is told by its name, the last one by its anchor', () => {
    rmSync(path(middle));
    assert.deepEqual(told(verifySegments(folder, { anchors })), [
      { name: middle, reason: 'missing_segment', offset: null, sequence: 10 },
    ]);
    rmSync(path(last));
    const tail = { name: last, reason: 'missing_segment', offset: null, sequence: null } as const;
    assert.deepEqual(told(verifySegments(folder)), []);
    assert.deepEqual(told(verifySegments(folder, { anchors })), [{ ...tail, name: middle }, tail]);
    rmSync(path('t1'), { recursive: true });
    assert.equal(verifySegments(folder, { anchors }).faultCount, 5);
  });

  test('an edit with a repaired checksum breaks its hash', () => {
    const [, , second = 0] = placesOf(middle);
    const forged = edited(bytesOf(middle), (copy) => {
      copy.write('forged', second + frameBytes);
      repairChecksums(copy, second);
    });
    assert.deepEqual(damagedBy(middle, forged), [
      { name: middle, reason: 'bad_hash', offset: second, sequence: 13 },
    ]);
    writeFileSync(path(middle), forged);
    assert.equal(recordsRead(), allRecords - 3);
  });

  test('an edit with everything repaired to its end breaks the segment behind it, or the anchor', () => {
    const [, , second = 0] = placesOf(middle);
    const forge = (file: string): Buffer =>
      edited(bytesOf(file), (copy) => {
        copy.write('forged', second + frameBytes);
        repairAll(copy, placesOf(file), 2);
      });
    const behind = { name: last, reason: 'wrong_prev_hash', offset: 0, sequence: 19 } as const;
    const anchor = { reason: 'wrong_anchor', offset: null, sequence: null } as const;
    assert.deepEqual(damagedBy(middle, forge(middle)), [behind]);
    assert.deepEqual(damagedBy(middle, forge(middle), anchors), [
      behind,
      { ...anchor, name: middle },
    ]);
    assert.deepEqual(damagedBy(last, forge(last)), []);
    assert.deepEqual(damagedBy(last, forge(last), anchors), [{ ...anchor, name: last }]);
  });

  test('a seal that tells other totals than its blocks is told', () => {
    const places = placesOf(last);
    const seal = places.at(-2) ?? 0;
    const forged = edited(bytesOf(last), (copy) => {
      copy.writeUInt32LE(11, seal + 40);
      repairAll(copy, places, places.length - 2);
    });
    assert.deepEqual(damagedBy(last, forged), [
      { name: last, reason: 'bad_seal', offset: seal, sequence: 28 },
    ]);
  });

  test('bytes behind the seal are told', () => {
    const bytes = bytesOf(last);
    assert.deepEqual(damagedBy(last, Buffer.concat([bytes, bytes.subarray(-50)])), [
      { name: last, reason: 'after_seal', offset: bytes.length, sequence: 28 },
    ]);
  });

  test('an unknown version names the program; the segments around it are read', () => {
    const newer = edited(bytesOf(middle), (copy) => {
      const end = copy.readUInt16LE(10);
      copy.writeUInt16LE(9, 8);
      copy.writeUInt32LE(crc32(copy.subarray(0, end - 4)), end - 4);
    });
    writeFileSync(path(middle), newer);
    const [fault, ...more] = verifySegments(folder).faults;
    assert.deepEqual(more, []);
    assert.equal(fault?.reason, 'unknown_version');
    assert.equal(fault.found, 'format 9, written by "test 1"');
    assert.equal(recordsRead(), allRecords - 9);
  });

  test('an empty file, foreign bytes, a copied segment and a folder in its place are told', () => {
    const here = { name: middle, offset: 0, sequence: 10 } as const;
    assert.deepEqual(damagedBy(middle, Buffer.alloc(0)), [{ ...here, reason: 'truncated' }]);
    assert.deepEqual(damagedBy(middle, Buffer.from('# a note of somebody else\n'.repeat(9))), [
      { ...here, reason: 'bad_header' },
    ]);
    assert.deepEqual(damagedBy(middle, bytesOf('t1/00000002.tfd')), [
      { ...here, reason: 'bad_header' },
    ]);
    assert.deepEqual(damagedBy(middle, bytesOf(last)), [{ ...here, reason: 'bad_header' }]);
    rmSync(path(middle));
    mkdirSync(path(middle));
    const unreadable = verifySegments(folder, { anchors }).faults;
    assert.deepEqual(
      unreadable.map(({ name, reason, found }) => ({ name, reason, found })),
      [{ name: middle, reason: 'unreadable', found: 'EISDIR' }],
    );
  });

  test('foreign files are told; what the product itself leaves there is not', () => {
    writeFileSync(path('t0/notes.txt'), '');
    writeFileSync(path('00000001.tfd'), '');
    mkdirSync(path('Backup'));
    mkdirSync(path('snapshots'));
    writeFileSync(path('t0/retention.json.17.abc.tmp'), '');
    const names = verifySegments(folder).faults.map(({ name, reason }) => `${reason} ${name}`);
    assert.deepEqual(names, [
      'foreign_file 00000001.tfd',
      'foreign_file Backup',
      'foreign_file t0/notes.txt',
    ]);
  });

  test('segments that retention removed are no fault, and the chain goes on behind them', () => {
    const [first] = anchors;
    assert.ok(first !== undefined);
    rmSync(path('t0/00000001.tfd'));
    assert.deepEqual(told(verifySegments(folder)), [
      { name: 't0/00000001.tfd', reason: 'missing_segment', offset: null, sequence: 1 },
    ]);
    const note = { removedThrough: 1, hash: first.hash, sequence: 10 };
    writeRetentionNote(path('t0'), note);
    assert.deepEqual(told(verifySegments(folder, { anchors })), []);
    writeRetentionNote(path('t0'), { ...note, hash: 'ab'.repeat(32) });
    assert.deepEqual(
      told(verifySegments(folder, { anchors })).map(({ name, reason }) => `${reason} ${name}`),
      ['wrong_prev_hash t0/00000002.tfd', 'wrong_anchor t0/00000001.tfd'],
    );
    writeFileSync(path('t0/retention.json'), '{"removedThrough":1}');
    const reasons = told(verifySegments(folder)).map(({ reason }) => reason);
    assert.deepEqual(reasons, ['bad_note', 'missing_segment']);
  });

  test('a log in ruins is counted whole and listed in part', () => {
    for (let number = 0; number < 1_200; number++) writeFileSync(path(`t0/${number}.txt`), '');
    const { faultCount, faults } = verifySegments(folder);
    assert.deepEqual([faultCount, faults.length], [1_200, 1_000]);
  });
});
