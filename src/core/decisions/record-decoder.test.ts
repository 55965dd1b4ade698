// Goal: what was written reads back, and whatever else is read gives records or a fault, with its
// place. Method: random records there and back; random, cut and flipped bytes; faults by hand.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { codecVersions, decodeBlock } from './record-decoder.ts';
import { currentCodec, RecordEncoder } from './record-encoder.ts';
import { blockOf, decisionRecords } from './records.test-support.ts';
import { Traffic } from './traffic.test-support.ts';

const someRecords = fc.array(decisionRecords, { minLength: 1, maxLength: 12 });

/** What any payload must come to: records, or a fault with a place inside of it. */
function readsOrFaults(payload: Uint8Array): void {
  const read = decodeBlock(currentCodec, payload);
  if (read.ok) {
    assert.ok(read.value.length <= payload.length, 'a record takes a byte at least');
    return;
  }
  assert.equal(read.error.code, 'corrupt');
  assert.match(read.error.message, /^at byte \d+ the block /);
  const offset = read.error.code === 'corrupt' ? read.error.offset : -1;
  assert.ok(offset >= 0 && offset <= payload.length, `offset ${offset} of ${payload.length}`);
}

holds(
  'what was written reads back, bit for bit',
  fc.property(someRecords, (records) => {
    const block = blockOf(records);
    assert.equal(block.records, records.length);
    const read = decodeBlock(currentCodec, block.payload);
    assert.deepEqual(read.ok ? read.value : read.error, records);
  }),
);

holds(
  'any bytes are records or a fault with its offset',
  fc.property(fc.uint8Array({ maxLength: 300 }), readsOrFaults),
);

holds(
  'so are bytes that begin like a block',
  fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 255 }), (bytes, tag) => {
    readsOrFaults(Uint8Array.from([1, ...new Uint8Array(16), tag, 0, 0, ...bytes]));
  }),
);

holds(
  'a block with one flipped bit is read or told',
  fc.property(someRecords, fc.nat(), (records, at) => {
    const { payload } = blockOf(records);
    const bit = at % (8 * payload.length);
    const place = bit >> 3;
    payload[place] = (payload[place] ?? 0) ^ (1 << (bit & 7));
    readsOrFaults(payload);
  }),
);

describe('a block that is cut short', () => {
  it('is told wherever it is cut, but between two records', () => {
    const encoder = new RecordEncoder();
    const traffic = new Traffic(7);
    for (let i = 0; i < 12; i++) traffic.request(encoder);
    const { payload, records } = encoder.take() ?? { payload: new Uint8Array(), records: 0 };
    let whole = 0;
    for (let length = 0; length < payload.length; length++) {
      readsOrFaults(payload.subarray(0, length));
      if (decodeBlock(currentCodec, payload.subarray(0, length)).ok) whole += 1;
    }
    assert.equal(whole, records);
  });
});

holds(
  'every beginning of a single record is told, whatever its kind',
  fc.property(decisionRecords, (record) => {
    const { payload } = blockOf([record]);
    const ids = 1 + 16 * (payload[0] ?? 0);
    for (let length = ids + 1; length < payload.length; length++) {
      const read = decodeBlock(currentCodec, payload.subarray(0, length));
      assert.equal(read.ok ? 'read' : read.error.code, 'corrupt', `${length} bytes`);
    }
  }),
  { runs: 150 },
);

describe('a codec before this one', () => {
  it('has no later kinds, no split and no limits', () => {
    const ids = [1, ...new Uint8Array(16)];
    const later = decodeBlock(2, Uint8Array.from([...ids, 7, 0, 0]));
    assert.match(later.ok ? '' : later.error.message, /unknown kind 7/);
    const split = decodeBlock(2, Uint8Array.from([...ids, 3, 0, 0, 128]));
    assert.match(split.ok ? '' : split.error.message, /needs 128/);
    // Class 3, three empty texts, four loads and the code; in codec 3 the scope would follow.
    const code = [0, 2 * 'at_capacity'.length, ...Buffer.from('at_capacity')];
    const refused = Uint8Array.from([...ids, 1 | 24, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, ...code]);
    const read = decodeBlock(2, refused);
    assert.equal(read.ok && read.value[0]?.kind, 'refused');
    assert.equal(decodeBlock(currentCodec, refused).ok, false);
  });
});

describe('a fault says what and where', () => {
  const noId = [0];
  const oneId = [1, ...new Uint8Array(16)];
  /** A routing record to behind its tokens; `route` goes on from there. */
  const head = (tag: number, needs: number) => [...oneId, tag, 0, 0, needs, 1, 0, 0, 0, 0, 0, 0, 5];
  const route = (...rest: number[]) => [...head(3, 0), 0, 1, 2, 3, 4, ...rest];
  const cases: readonly (readonly [string, readonly number[], string])[] = [
    ['a budget that is none', [...head(3, 64), 0x60, 0], 'at byte 29 the block has the hints 96'],
    ['columns that are none', [...head(3, 64), 0, 32], 'at byte 30 the block has the columns 32'],
    [
      'candidates that are not there',
      route(9, 1, 0),
      'at byte 34 the block has 9 candidates in 2 bytes',
    ],
    ['a stage that is none', route(1, 143, 0, 0, 0), 'at byte 35 the block has the stage 15'],
    ['a route reason that is none', route(0, 5, 0), 'at byte 35 the block has the route reason 5'],
    ['a choice of none', route(0, 1, 0), 'at byte 35 the block chose candidate 0 of 0'],
    [
      'an attempt at none',
      [...head(3 | 128, 0), 1, 4, 0, 1, 2, 3, 4, 0, 0, 0, 22, ...Buffer.from('at_capacity')],
      'at byte 17 the block has tried candidate 4 of 0',
    ],
    ['nothing at all', [], 'at byte 0 the block ends within a record'],
    ['ids that are not there', [200, 1], 'at byte 0 the block names 200 requests, but has 0 bytes'],
    [
      'a later kind that is none',
      [...noId, 255, 0],
      'at byte 1 the block has a record of unknown later kind 31',
    ],
    ['an ending that is none', [...oneId, 7, 0, 0, 99], 'at byte 20 the block has the ending 6'],
    [
      'a class of a waiting request that is none',
      [...oneId, 7, 0, 0, 7],
      'at byte 20 the block has the priority class 7',
    ],
    ['a cause that is none', [...oneId, 15, 0, 0, 0, 3], 'at byte 21 the block has the cause 3'],
    [
      'an outcome of a copy that is none',
      [...oneId, 23, 0, 0, 0, 0, 1, 10],
      'at byte 23 the block has the outcome of a copy 5',
    ],
    [
      'a distance that is none',
      [...oneId, 23, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 255, 127],
      'at byte 30 the block has the distance 16382',
    ],
    [
      'annotations that are not there',
      [...oneId, 31, 0, 0, 4, 0, 0],
      'at byte 20 the block has 4 annotations in 2 bytes',
    ],
    [
      'a scope of a limit that is none',
      [...oneId, 1 | 24, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 22, ...Buffer.from('at_capacity'), 4],
      'at byte 41 the block has the scope of a limit 4',
    ],
    [
      'a class that is none',
      [...oneId, 6 << 3, 0, 0],
      'at byte 17 the block has the priority class 6',
    ],
    [
      'a request that is not told',
      [...noId, 5, 0, 3],
      'at byte 3 the block names request 3, but has 0',
    ],
    [
      'a text that is not told',
      [...oneId, 8, 0, 0, 4],
      'at byte 20 the block names text 4, but has told 0',
    ],
    [
      'a text beyond the end',
      [...oneId, 8, 0, 0, 0, 100, 1],
      'at byte 21 the block has a text of 50 bytes',
    ],
    [
      'a number beyond 2^53',
      [...noId, 6, ...new Uint8Array(9).fill(255)],
      'at byte 2 the block holds a number',
    ],
    ['a time before 1970', [...noId, 6, 1], 'at byte 2 the block holds the time -1'],
    ['a tag of a later codec', [...noId, 14, 0], 'at byte 1 the block has the tag 14'],
    [
      'a control record that is no JSON',
      [...noId, 6, 0, 0, 0, 1, 2, 123, 2, 49],
      'at byte 1 the block has a control record that is no JSON',
    ],
    [
      'an error code that does not exist',
      [...oneId, 1 | (1 << 3), 0, 0, 0, 2, 97, 1, 1, 1, 1, 1, 1, 1],
      'at byte 29 the block has the error code "a"',
    ],
  ];
  for (const [name, bytes, words] of cases) {
    it(name, () => {
      const read = decodeBlock(currentCodec, Uint8Array.from(bytes));
      const met = read.ok ? 'records' : read.error.message;
      assert.ok(met.startsWith(words), `${met}, but should begin with ${words}`);
    });
  }

  it('a codec that nobody here knows, and who does', () => {
    const read = decodeBlock(9, new Uint8Array(), '2.4.0');
    assert.deepEqual(read.ok || read.error, {
      code: 'unknown_version',
      message:
        'the block is written in codec 9 by TensorForge 2.4.0 or newer, which reads it; this program reads codec 1, 2, 3',
    });
    const unsigned = decodeBlock(9, new Uint8Array());
    assert.match(unsigned.ok ? '' : unsigned.error.message, /by a newer TensorForge, which reads/);
  });
});

it('the codec that is written can be read, and so can every one before it', () => {
  for (let codec = 1; codec <= currentCodec; codec++) assert.ok(codecVersions.has(codec));
  assert.equal(codecVersions.size, currentCodec);
});
