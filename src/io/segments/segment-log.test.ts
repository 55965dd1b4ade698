// Goal: whatever the disk does, the log opens again, is whole, and holds every block that was
// acknowledged; a full disk holds up nobody. Method: the machine on a disk in memory that crashes
// at every byte of every write and between all other effects, one crash after another; random
// sequences of blocks, time and room for the full disk.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { present } from '../../base/assert.ts';
import { Crash, MemoryDisk, numberedBlock } from './memory-disk.test-support.ts';
import { type LogNote, type LogOptions, SegmentLog } from './segment-log.ts';
import { type Recovered, recoverStream } from './segment-recovery.ts';
import { firstStart, followStream, type SegmentBlock } from './stream-chain.ts';

const options: LogOptions = {
  stream: 't0',
  program: 'test 1',
  segmentBytes: 520,
  queueBytes: 1_000,
  onFull: 'drop',
};
const startMs = 1_700_000_000_000;

function recover(disk: MemoryDisk): Recovered {
  const found = recoverStream(disk.segments('t0'), firstStart());
  assert.ok(found.ok);
  return found.value;
}

function open(disk: MemoryDisk, changes: Partial<LogOptions> = {}): SegmentLog {
  return new SegmentLog({ ...options, ...changes }, recover(disk), startMs);
}

/** All blocks, after making sure that nothing is wrong. */
function readWhole(disk: MemoryDisk): readonly SegmentBlock[] {
  const everything = { wants: () => true, seal: () => undefined };
  const items = [...followStream(disk.segments('t0'), firstStart(), everything)];
  const bad = items.filter((item) => item.kind === 'fault' || item.kind === 'unfinished');
  assert.deepEqual(bad, []);
  return items.filter((item) => item.kind === 'block');
}

function numberOf(block: SegmentBlock): number {
  return Number(/^block (\d+)/.exec(block.payload.toString())?.[1]);
}

/** Writes `count` blocks and closes; adds to `kept` what is acknowledged. */
function life(disk: MemoryDisk, first: number, count: number, kept: number[]): void {
  const log = open(disk);
  disk.drive(log);
  for (let number = first; number < first + count; number++) {
    const before = log.stats().sequence;
    log.offer(numberedBlock(number));
    while (log.stats().sequence === before) {
      disk.answer(log, present(log.next(), 'an effect that leads to the block'));
    }
    kept.push(number);
  }
  log.close();
  disk.drive(log);
  assert.equal(log.stats().state, 'closed');
}

/** Runs until the crash after `units`; undefined: there was none. */
function crashAfter(disk: MemoryDisk, units: number, run: () => void): Crash | undefined {
  disk.restart(units);
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Crash) return error;
    throw error;
  } finally {
    disk.restart();
  }
}

const blocksOfLife = 7;

function costOfLife(): number {
  const disk = new MemoryDisk();
  life(disk, 0, blocksOfLife, []);
  return disk.spent;
}

/** What was kept is there, in order; at most the block in flight is there besides. */
function assertKept(disk: MemoryDisk, kept: readonly number[], inFlight: number): void {
  const found = readWhole(disk).map(numberOf);
  assert.deepEqual(found.slice(0, kept.length), kept);
  assert.ok(found.length <= kept.length + inFlight, `${found.length} blocks, ${kept.length} kept`);
}

describe('decision log: writing', () => {
  test('blocks come back in their order from segments of the size that was asked for', () => {
    const disk = new MemoryDisk();
    const kept: number[] = [];
    life(disk, 0, blocksOfLife, kept);
    const blocks = readWhole(disk);
    assert.deepEqual(blocks.map(numberOf), kept);
    assert.deepEqual(
      blocks.map((block) => block.sequence),
      [1, 4, 7, 10, 13, 16, 19],
    );
    assert.deepEqual([...disk.files.keys()], ['00000001.tfd', '00000002.tfd', '00000003.tfd']);
    for (const bytes of disk.files.values()) assert.ok(bytes.length <= options.segmentBytes);
  });

  test('a crash at any byte of any write, or between effects, loses the torn tail at most', () => {
    const cost = costOfLife();
    assert.ok(cost > 1_000);
    for (let units = 0; units < cost; units++) {
      const disk = new MemoryDisk();
      const kept: number[] = [];
      assert.ok(crashAfter(disk, units, () => life(disk, 0, blocksOfLife, kept)));
      life(disk, 100, 2, kept);
      const blocks = readWhole(disk);
      const numbers = blocks.map(numberOf);
      const inFlight = numbers.filter((number) => !kept.includes(number));
      assert.ok(inFlight.length <= 1, `${inFlight.length} blocks after ${units} units`);
      assert.deepEqual(
        numbers.filter((number) => kept.includes(number)),
        kept,
      );
      assert.deepEqual(
        blocks.map((block) => block.sequence),
        blocks.map((_, index) => 1 + index * 3),
      );
    }
  });

  test('a crash while the rest of a crash is cut and sealed loses nothing more', () => {
    const cost = costOfLife();
    for (let first = 3; first < cost; first += 29) {
      for (let second = 0; ; second++) {
        const disk = new MemoryDisk();
        const kept: number[] = [];
        crashAfter(disk, first, () => life(disk, 0, blocksOfLife, kept));
        const crash = crashAfter(disk, second, () => life(disk, 100, 1, []));
        life(disk, 200, 1, []);
        assertKept(disk, kept, 3);
        if (crash === undefined) break;
      }
    }
  });

  test('what the last run left is told: bytes of the torn tail, and records of its segment', () => {
    const disk = new MemoryDisk();
    const log = open(disk);
    log.offer(numberedBlock(1));
    log.offer(numberedBlock(2));
    disk.drive(log);
    const [name, bytes] = present([...disk.files][0], 'a segment');
    assert.equal(name, '00000001.tfd.open');
    disk.files.set(name, bytes.subarray(0, -10));
    const { cutBytes, keptRecords, number, sequence } = recover(disk);
    assert.deepEqual(
      { cutBytes, keptRecords, number, sequence },
      {
        cutBytes: 92 + 24 - 10,
        keptRecords: 3,
        number: 1,
        sequence: 4,
      },
    );
  });

  test('damage in the middle of the last segment is not cut away', () => {
    const disk = new MemoryDisk();
    const log = open(disk, { segmentBytes: 10_000 });
    for (const number of [1, 2, 3]) log.offer(numberedBlock(number));
    disk.drive(log);
    const bytes = present(disk.files.get('00000001.tfd.open'), 'the open segment');
    const second = bytes.indexOf('block 2');
    bytes.writeUInt8(0x58, second);
    const { cutBytes, sequence } = recover(disk);
    assert.deepEqual({ cutBytes, sequence }, { cutBytes: 0, sequence: 10 });
    life(disk, 4, 1, []);
    const everything = { wants: () => true, seal: () => undefined };
    const items = [...followStream(disk.segments('t0'), firstStart(), everything)];
    const faults = items.filter((item) => item.kind === 'fault');
    assert.deepEqual(
      faults.map(({ name, reason, offset, sequence: at }) => ({ name, reason, offset, at })),
      [{ name: 't0/00000001.tfd', reason: 'bad_crc', offset: second - 92, at: 4 }],
    );
    const blocks = items.filter((item) => item.kind === 'block');
    assert.deepEqual(blocks.map(numberOf), [1, 3, 4]);
  });

  test('a segment of a newer program is neither continued nor touched', () => {
    const disk = new MemoryDisk();
    life(disk, 0, 1, []);
    const newer = present(disk.files.get('00000001.tfd'), 'a segment');
    const headerEnd = newer.readUInt16LE(10);
    newer.writeUInt16LE(2, 8);
    newer.writeUInt32LE(crc32(newer.subarray(0, headerEnd - 4)), headerEnd - 4);
    const found = recoverStream(disk.segments('t0'), firstStart());
    assert.ok(!found.ok);
    assert.match(found.error.message, /t0\/00000001\.tfd is format 2, written by "test 1"/);
  });

  test('a quiet stream seals its segment after a day', () => {
    const disk = new MemoryDisk();
    const log = open(disk);
    log.offer(numberedBlock(1));
    disk.drive(log);
    log.tick(startMs + 86_399_999);
    assert.equal(log.next(), undefined);
    log.tick(startMs + 86_400_000);
    disk.drive(log);
    assert.deepEqual([...disk.files.keys()], ['00000001.tfd']);
    const [note] = log.takeNotes();
    assert.ok(note?.kind === 'sealed');
    assert.deepEqual([note.name, note.records, note.blocks], ['t0/00000001.tfd', 3, 1]);
    assert.match(note.hash, /^[0-9a-f]{64}$/);
  });

  test('a write that is taken in small pieces is one block', () => {
    const disk = new MemoryDisk();
    disk.writeBytesMax = 7;
    life(disk, 0, 3, []);
    assert.deepEqual(readWhole(disk).map(numberOf), [0, 1, 2]);
  });
});

describe('decision log: full disk', () => {
  function kinds(notes: readonly LogNote[]): readonly string[] {
    return notes.map((note) => note.kind);
  }

  test('under `drop` blocks wait in the queue, then are dropped and counted, and nobody waits', () => {
    const disk = new MemoryDisk();
    const log = open(disk);
    log.offer(numberedBlock(0));
    disk.drive(log);
    disk.roomBytes = disk.size + 50;
    const taken: boolean[] = [];
    for (let number = 1; number <= 12; number++) {
      taken.push(log.offer(numberedBlock(number)));
      disk.drive(log);
    }
    // 8 blocks of 116 bytes fit a queue of 1000.
    assert.deepEqual(taken, [...Array(8).fill(true), ...Array(4).fill(false)]);
    assert.equal(log.stats().state, 'full');
    assert.equal(log.stats().dropped, 12);
    assert.ok(log.mayRecord());
    assert.deepEqual(kinds(log.takeNotes()), ['full']);

    disk.roomBytes = Number.POSITIVE_INFINITY;
    log.tick(startMs + 999);
    disk.drive(log);
    assert.equal(log.stats().state, 'full');
    log.tick(startMs + 1_000);
    disk.drive(log);
    assert.equal(log.stats().state, 'writing');
    const resumed = log.takeNotes().find((note) => note.kind === 'resumed');
    assert.deepEqual(resumed, { kind: 'resumed', dropped: 12 });
    log.offer(numberedBlock(13));
    log.close();
    disk.drive(log);
    const blocks = readWhole(disk);
    assert.deepEqual(blocks.map(numberOf), [0, 1, 2, 3, 4, 5, 6, 7, 8, 13]);
    assert.equal(blocks.at(-1)?.dropped, 12);
    assert.equal(blocks.at(-1)?.sequence, 9 * 3 + 12 + 1);
  });

  test('what a failed write left is cut before the next attempt', () => {
    const disk = new MemoryDisk();
    const log = open(disk);
    log.offer(numberedBlock(0));
    disk.drive(log);
    const { offset } = log.stats();
    disk.roomBytes = disk.size + 50;
    log.offer(numberedBlock(1));
    disk.drive(log);
    assert.equal(disk.size, offset + 50);
    log.tick(startMs + 1_000);
    const effect = present(log.next(), 'another attempt');
    assert.deepEqual(effect, { kind: 'truncate', length: offset });
    disk.answer(log, effect);
    assert.equal(disk.size, offset);
    assert.equal(log.next()?.kind, 'write');
  });

  test('under `refuse` requests are refused from the first failure until a write succeeds', () => {
    const disk = new MemoryDisk();
    const log = open(disk, { onFull: 'refuse' });
    assert.ok(log.mayRecord());
    disk.roomBytes = 10;
    log.offer(numberedBlock(0));
    disk.drive(log);
    assert.ok(!log.mayRecord());
    disk.roomBytes = Number.POSITIVE_INFINITY;
    log.tick(startMs + 1_000);
    disk.drive(log);
    assert.ok(log.mayRecord());
    log.close();
    assert.ok(!log.mayRecord());
  });

  test('a clock that is set back does not keep the log from trying again', () => {
    const disk = new MemoryDisk();
    const log = open(disk);
    disk.roomBytes = 10;
    log.offer(numberedBlock(0));
    disk.drive(log);
    disk.roomBytes = Number.POSITIVE_INFINITY;
    log.tick(startMs - 3_600_000);
    disk.drive(log);
    assert.equal(log.stats().state, 'writing');
  });

  test('closing on a full disk gives up, says what is lost, and leaves a log that opens', () => {
    const disk = new MemoryDisk();
    const log = open(disk);
    log.offer(numberedBlock(0));
    disk.drive(log);
    disk.roomBytes = disk.size + 5;
    log.offer(numberedBlock(1));
    disk.drive(log);
    log.close();
    disk.drive(log);
    assert.equal(log.stats().state, 'closed');
    assert.deepEqual(log.takeNotes().at(-1), { kind: 'given_up', code: 'ENOSPC', lost: 3 });
    disk.roomBytes = Number.POSITIVE_INFINITY;
    disk.restart();
    life(disk, 2, 1, []);
    assert.deepEqual(readWhole(disk).map(numberOf), [0, 2]);
  });

  test('the seal tells what was dropped behind the last block', () => {
    const disk = new MemoryDisk();
    const log = open(disk);
    log.offer(numberedBlock(0));
    disk.drive(log);
    assert.ok(!log.offer(numberedBlock(1, 5, 2_000)));
    log.close();
    disk.drive(log);
    readWhole(disk);
    assert.equal(recover(disk).sequence, 9);
  });

  type Step =
    | { readonly kind: 'offer'; readonly records: number; readonly bytes: number }
    | { readonly kind: 'room'; readonly bytes: number }
    | { readonly kind: 'tick'; readonly ms: number };

  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('offer' as const),
        records: fc.integer({ min: 1, max: 4 }),
        bytes: fc.integer({ min: 12, max: 400 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('room' as const),
        bytes: fc.integer({ min: 0, max: 3_000 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('tick' as const),
        ms: fc.integer({ min: -500, max: 2_000 }),
      }),
    },
  );

  holds(
    'whatever room comes and goes, every record is in the log or counted as dropped',
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const disk = new MemoryDisk();
      const log = open(disk);
      let now = startMs;
      let offered = 0;
      for (const [index, what] of steps.entries()) {
        if (what.kind === 'offer') {
          offered += what.records;
          log.offer(numberedBlock(index, what.records, what.bytes));
        } else if (what.kind === 'room') disk.roomBytes = what.bytes;
        else now += what.ms;
        log.tick(now);
        disk.drive(log);
        assert.ok(log.stats().queuedBytes <= options.queueBytes);
      }
      disk.roomBytes = Number.POSITIVE_INFINITY;
      log.close();
      disk.drive(log);
      const blocks = readWhole(disk);
      const records = blocks.reduce((sum, block) => sum + block.records, 0);
      assert.equal(records + log.stats().dropped, offered);
      const numbers = blocks.map(numberOf);
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
    }),
  );
});
