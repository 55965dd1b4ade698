// The process that segment-writer.test.ts kills: `write FOLDER` writes blocks for ever and prints
// the number of records after each that was acknowledged; `full FOLDER` writes until the files may
// not grow and prints what was told; `newer FILE` gives a segment another version.

import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { numberedBlock } from './memory-disk.test-support.ts';
import { SegmentWriter } from './segment-writer.ts';

const [, , what = '', path = ''] = process.argv;
const troubles: string[] = [];

function open(queueBytes: number, segmentBytes: number): SegmentWriter {
  return SegmentWriter.open({
    folder: path,
    stream: 't0',
    segmentBytes,
    queueBytes,
    onFull: 'drop',
    program: 'test 1',
    now: () => 1_700_000_000_000,
    onSealed: () => undefined,
    onTrouble: (words) => troubles.push(words),
  });
}

function writeForever(): void {
  const writer = open(100_000, 3_000);
  const begun = writer.stats().sequence;
  let told = begun;
  let number = 0;
  const turn = (): void => {
    for (let count = 0; count < 3; count++) writer.write(numberedBlock(number++, 3, 24 + count));
    // Nobody waits for a process that cannot write.
    if (troubles.length > 0) throw new Error(troubles[0]);
    const { sequence } = writer.stats();
    if (sequence !== told) writeSync(1, `${sequence - 1}\n`);
    told = sequence;
    setImmediate(turn);
  };
  turn();
}

async function writeUntilFull(): Promise<void> {
  const writer = open(20_000, 1_000_000);
  let offered = 0;
  for (let number = 0; number < 40; number++) {
    writer.write(numberedBlock(number, 2, 1_000));
    offered += 2;
    await writer.settled();
  }
  const stateWhenFull = writer.stats().state;
  await writer.close();
  const { dropped } = writer.stats();
  process.stdout.write(JSON.stringify({ stateWhenFull, troubles, dropped, offered }));
}

if (what === 'write') writeForever();
if (what === 'full') await writeUntilFull();
if (what === 'newer') {
  const bytes = readFileSync(path);
  const end = bytes.readUInt16LE(10);
  bytes.writeUInt16LE(2, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end - 4)), end - 4);
  writeFileSync(path, bytes);
}
