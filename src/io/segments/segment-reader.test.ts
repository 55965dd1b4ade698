// Goal: blocks come in the order that replay is promised, a span is found without reading the rest,
// and a log that is being written is read up to where it is. Method: streams with chosen times,
// written by the writer into a folder; segments beside a span are made unreadable to show that they
// are not read.

import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { listSegments } from './segment-list.ts';
import type { OfferedBlock } from './segment-log.ts';
import { findBlocksOf, type LogItem, readBlocks } from './segment-reader.ts';
import { SegmentWriter } from './segment-writer.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tensorforge-reader-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function block(text: string, firstAtMs: number, lastAtMs = firstAtMs): OfferedBlock {
  const payload = Buffer.from(text.padEnd(20));
  return { payload, records: 2, firstAtMs, lastAtMs, codec: 3, behaviour: 5 };
}

function openWriter(stream: string): SegmentWriter {
  return SegmentWriter.open({
    folder,
    stream,
    segmentBytes: 420,
    onFull: 'drop',
    program: 'test 1',
    now: () => 1_000,
    onSealed: () => undefined,
    onTrouble: (words) => assert.fail(words),
  });
}

async function writeStream(stream: string, blocks: readonly OfferedBlock[]): Promise<void> {
  const writer = openWriter(stream);
  for (const one of blocks) assert.ok(writer.write(one));
  await writer.close();
}

function textsOf(items: Iterable<LogItem>): readonly string[] {
  return [...items].map((item) =>
    item.kind === 'block' ? `${item.stream} ${item.payload.toString().trim()}` : item.kind,
  );
}

/** Two segments of t0 with times 100 to 400, one of t1. */
async function writeTwo(): Promise<void> {
  const t0 = [100, 200, 300, 400].map((at) => block(`at ${at}`, at, at + 50));
  await writeStream('t0', t0);
  await writeStream('t1', [block('at 150', 150), block('at 200', 200), block('at 90', 90)]);
}

describe('decision log: reading', () => {
  test('streams are merged by time, then name; each keeps its own order', async () => {
    await writeTwo();
    assert.deepEqual(textsOf(readBlocks(folder)), [
      't0 at 100',
      't1 at 150',
      't0 at 200',
      't1 at 200',
      't1 at 90',
      't0 at 300',
      't0 at 400',
    ]);
    assert.deepEqual(textsOf(readBlocks(folder, { stream: 't1' })), [
      't1 at 150',
      't1 at 200',
      't1 at 90',
    ]);
    assert.deepEqual(textsOf(readBlocks(join(folder, 'nothing'))), []);
  });

  test('a block carries all that its writer said, and its place', async () => {
    await writeTwo();
    const [, second] = [...readBlocks(folder, { stream: 't0' })];
    assert.ok(second?.kind === 'block');
    const { hash, payload, ...rest } = second;
    assert.match(hash, /^[0-9a-f]{64}$/);
    assert.equal(payload.toString().trim(), 'at 200');
    assert.deepEqual(rest, {
      kind: 'block',
      stream: 't0',
      name: 't0/00000001.tfd',
      segment: 1,
      offset: 70 + 92 + 20,
      sequence: 3,
      records: 2,
      dropped: 0,
      firstAtMs: 200,
      lastAtMs: 250,
      codec: 3,
      behaviour: 5,
    });
  });

  test('a span takes blocks that touch it, and reads no segment beside it', async () => {
    await writeTwo();
    assert.equal(listSegments(folder).filter(({ stream }) => stream === 't0').length, 2);
    assert.deepEqual(textsOf(readBlocks(folder, { fromMs: 250, toMs: 300, stream: 't0' })), [
      't0 at 200',
      't0 at 300',
    ]);
    const first = join(folder, 't0', '00000001.tfd');
    const bytes = readFileSync(first);
    writeFileSync(first, bytes.fill(0, 80, 160));
    assert.deepEqual(textsOf(readBlocks(folder, { fromMs: 410, stream: 't0' })), ['t0 at 400']);
    const all = textsOf(readBlocks(folder, { stream: 't0' }));
    assert.deepEqual(all, ['fault', 't0 at 200', 't0 at 300', 't0 at 400']);
    const damagedSpan = textsOf(readBlocks(folder, { toMs: 420, stream: 't0' }));
    assert.deepEqual(damagedSpan, all);
  });

  test('a log that is being written is read up to its last whole block', async () => {
    const writer = openWriter('t0');
    writer.write(block('first', 10));
    await writer.settled();
    const [file = ''] = readdirSync(join(folder, 't0'));
    assert.equal(file, '00000001.tfd.open');
    assert.deepEqual(textsOf(readBlocks(folder)), ['t0 first']);
    appendFileSync(join(folder, 't0', file), Buffer.alloc(40, 0xf5));
    const [, end] = [...readBlocks(folder)];
    assert.deepEqual(end, {
      kind: 'unfinished',
      stream: 't0',
      name: 't0/00000001.tfd',
      offset: 70 + 92 + 20,
      bytes: 40,
    });
    await writer.close();
  });

  test('a segment that is sealed between being listed and being read is read', async () => {
    await writeTwo();
    const sealed = join(folder, 't0', '00000002.tfd');
    renameSync(sealed, `${sealed}.open`);
    const items = readBlocks(folder, { stream: 't0' });
    items.next();
    renameSync(`${sealed}.open`, sealed);
    assert.deepEqual(textsOf(items), ['t0 at 200', 't0 at 300', 't0 at 400']);
  });

  test('reading that is ended early leaves no file open', async () => {
    await writeTwo();
    const openFiles = (): number => readdirSync('/proc/self/fd').length;
    const before = openFiles();
    for (const item of readBlocks(folder)) if (item.kind === 'block') break;
    assert.equal(openFiles(), before);
  });

  test('one request is found by its time, and its payload is read on demand', async () => {
    await writeTwo();
    const places = [...findBlocksOf(folder, 195, 210)];
    const texts = places.map((place) => {
      assert.ok(place.kind === 'place');
      const payload = place.payload();
      assert.ok(payload.ok);
      return `${place.stream} ${payload.value.toString().trim()} ${place.sequence}`;
    });
    assert.deepEqual(texts, ['t0 at 200 3', 't1 at 200 3']);
  });

  test('a damaged payload and a damaged frame are told by a search as well', async () => {
    await writeTwo();
    const path = join(folder, 't0', '00000001.tfd');
    const bytes = readFileSync(path);
    bytes.writeUInt8(0, 70 + 92);
    writeFileSync(path, bytes);
    const [place] = [...findBlocksOf(folder, 100, 110)];
    assert.ok(place?.kind === 'place');
    const payload = place.payload();
    assert.ok(!payload.ok);
    assert.equal(payload.error.reason, 'bad_crc');
    assert.equal(payload.error.sequence, 1);
    bytes.writeUInt8(0, 71);
    writeFileSync(path, bytes);
    const kinds = [...findBlocksOf(folder, 100, 110)].map((item) => item.kind);
    assert.deepEqual(kinds, ['fault']);
  });

  test('the list tells times, records and hash of sealed segments, and what is known of others', async () => {
    await writeTwo();
    const writer = openWriter('t2');
    writer.write(block('open', 777));
    await writer.settled();
    const list = listSegments(folder);
    assert.deepEqual(
      list.map(({ name, isOpen, records, firstAtMs, lastAtMs, nextSequence }) => {
        return { name, isOpen, records, firstAtMs, lastAtMs, nextSequence };
      }),
      [
        {
          name: 't0/00000001.tfd',
          isOpen: false,
          records: 4,
          firstAtMs: 100,
          lastAtMs: 250,
          nextSequence: 5,
        },
        {
          name: 't0/00000002.tfd',
          isOpen: false,
          records: 4,
          firstAtMs: 300,
          lastAtMs: 450,
          nextSequence: 9,
        },
        {
          name: 't1/00000001.tfd',
          isOpen: false,
          records: 4,
          firstAtMs: 150,
          lastAtMs: 200,
          nextSequence: 5,
        },
        {
          name: 't1/00000002.tfd',
          isOpen: false,
          records: 2,
          firstAtMs: 90,
          lastAtMs: 90,
          nextSequence: 7,
        },
        {
          name: 't2/00000001.tfd',
          isOpen: true,
          records: null,
          firstAtMs: 777,
          lastAtMs: null,
          nextSequence: null,
        },
      ],
    );
    await writer.close();
  });
});
