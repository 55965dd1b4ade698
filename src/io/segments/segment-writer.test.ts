// Goal: the writer does on a real disk what the machine decides: recovers, survives kill -9 at any
// moment, degrades where files may not grow, and holds nobody up. Method: real files; a child
// process that is killed while it writes; another whose files have a size limit.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../base/random.ts';
import { numberedBlock } from './memory-disk.test-support.ts';
import { readBlocks } from './segment-reader.ts';
import { verifySegments } from './segment-verify.ts';
import { type SealedSegment, SegmentWriter } from './segment-writer.ts';

const child = fileURLToPath(new URL('./segment-writer.test-support.ts', import.meta.url));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tensorforge-writer-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Heard = { readonly sealed: SealedSegment[]; readonly troubles: string[] };

function openWriter(heard: Heard, segmentBytes = 600): SegmentWriter {
  return SegmentWriter.open({
    folder,
    stream: 't0',
    segmentBytes,
    onFull: 'drop',
    program: 'test 1',
    now: () => 1_700_000_000_000,
    onSealed: (sealed) => heard.sealed.push(sealed),
    onTrouble: (words) => heard.troubles.push(words),
  });
}

function heardNothing(): Heard {
  return { sealed: [], troubles: [] };
}

function assertWhole(): ReturnType<typeof verifySegments> {
  const report = verifySegments(folder);
  assert.deepEqual(report.faults, []);
  assert.deepEqual(report.unfinished, []);
  return report;
}

describe('decision log: writer', () => {
  test('blocks are in sealed files of mode 0600 after closing, and each seal was told', async () => {
    const heard = heardNothing();
    const writer = openWriter(heard);
    for (let number = 0; number < 8; number++) assert.ok(writer.write(numberedBlock(number)));
    await writer.settled();
    assert.equal(writer.stats().queuedBytes, 0);
    await writer.close();
    assert.deepEqual(heard.troubles, []);
    assert.equal(writer.stats().state, 'closed');
    const names = readdirSync(join(folder, 't0'));
    assert.deepEqual(names, ['00000001.tfd', '00000002.tfd', '00000003.tfd']);
    assert.equal(statSync(join(folder, 't0', '00000001.tfd')).mode & 0o777, 0o600);
    const anchors = heard.sealed;
    assert.deepEqual(
      anchors.map(({ name, bytes }) => ({ name, bytes })),
      names.map((name) => {
        return { name: `t0/${name}`, bytes: statSync(join(folder, 't0', name)).size };
      }),
    );
    const report = verifySegments(folder, { anchors });
    assert.deepEqual([report.faults, report.records], [[], 24]);
    assert.ok(!writer.write(numberedBlock(9)), 'a closed log takes nothing');
    await writer.close();
  });

  test('the next start cuts the torn tail, seals, and goes on with the sequence', async () => {
    const before = openWriter(heardNothing(), 10_000);
    before.write(numberedBlock(0));
    before.write(numberedBlock(1));
    await before.settled();
    // A process that ends here leaves the segment open; its last write is torn.
    const open = join(folder, 't0', '00000001.tfd.open');
    truncateSync(open, statSync(open).size - 1);

    const heard = heardNothing();
    const writer = openWriter(heard, 10_000);
    assert.deepEqual(writer.found, { cutBytes: 115, keptRecords: 3 });
    await writer.settled();
    assert.deepEqual(
      heard.sealed.map(({ segment, records }) => ({ segment, records })),
      [{ segment: 1, records: 3 }],
    );
    writer.write(numberedBlock(2));
    await writer.close();
    const { streams } = assertWhole();
    assert.equal(streams[0]?.sequence, 6);
    assert.equal(streams[0]?.segments, 2);
  });

  test('a stream that a newer program wrote is refused in words', async () => {
    const writer = openWriter(heardNothing());
    writer.write(numberedBlock(0));
    await writer.close();
    const file = join(folder, 't0', '00000001.tfd');
    execFileSync(process.execPath, [child, 'newer', file]);
    assert.throws(() => openWriter(heardNothing()), /format 2, written by "test 1"/);
  });

  test('a process that is killed while it writes leaves a log that opens and is whole', async () => {
    const random = seededRandom(20_261_121);
    let acknowledged = 0;
    for (let round = 0; round < 6; round++) {
      const process = spawn(globalThis.process.execPath, [child, 'write', folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(process, 'exit');
      const wanted = 5 + random.nextBelow(120);
      let lines = 0;
      for await (const line of createInterface(process.stdout)) {
        acknowledged = Number(line);
        lines += 1;
        if (lines === wanted) process.kill('SIGKILL');
      }
      assert.deepEqual(await exited, [null, 'SIGKILL']);
      const writer = openWriter(heardNothing());
      await writer.close();
      const { records } = assertWhole();
      assert.ok(records >= acknowledged, `${records} records, ${acknowledged} acknowledged`);
    }
    const sequences = [...readBlocks(folder)].map((item) => {
      return item.kind === 'block' ? item.sequence : Number.NaN;
    });
    assert.deepEqual(
      sequences,
      sequences.map((_, index) => 1 + index * 3),
    );
  });

  test('where files may not grow, blocks are dropped and counted, and the log stays whole', () => {
    // 8 blocks of 1024 bytes; the segment would be larger.
    const script = 'ulimit -f 8; exec "$0" "$@"';
    const args = ['-c', script, process.execPath, child, 'full', folder];
    const told = JSON.parse(execFileSync('bash', args, { encoding: 'utf8' }));
    assert.equal(told.stateWhenFull, 'full');
    assert.match(told.troubles[0], /cannot be written \(EFBIG\)/);
    assert.match(told.troubles.at(-1), /closed unwritten \(EFBIG\)/);
    const report = verifySegments(folder);
    assert.deepEqual(report.faults, []);
    assert.ok(report.records > 0);
    assert.equal(report.records + told.dropped, told.offered);
  });
});
