// Goal: what a block costs in bytes, that each block stands alone, and that nonsense is a bug of the
// caller. Method: a few records by hand; that they read back is the matter of record-decoder.test.ts.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from '../routing/decide.ts';
import { features, fleetOf, target } from '../routing/fleet.test-support.ts';
import type { AdmissionRecord, SettledRecord } from './decision-record.ts';
import { decodeBlock } from './record-decoder.ts';
import { currentCodec, RecordEncoder, type RoutingFacts } from './record-encoder.ts';

const digest = 'ab'.repeat(32);
const at = 1_763_700_000_000;

function idOf(n: number): string {
  return `019aa5d3-7b2e-7c4f-8a1b-${n.toString(16).padStart(12, '0')}`;
}

function admitted(n: number): AdmissionRecord {
  return {
    kind: 'admitted',
    requestId: idOf(n),
    at: at + n,
    keyId: 'key_4f2a9c',
    groupName: 'research',
    path: '/v1/chat/completions',
    priorityClass: 3,
    reading: {
      mode: 'normal',
      inFlight: 300 + n,
      inFlightMax: 1000,
      keyInFlight: 20,
      keyInFlightMax: 100,
    },
    code: undefined,
  };
}

function settled(n: number, more: Partial<SettledRecord> = {}): SettledRecord {
  return {
    kind: 'settled',
    requestId: idOf(n),
    at: at + n + 900,
    status: 200,
    code: undefined,
    attempts: 1,
    backendId: 'backend-3',
    stream: true,
    firstByteMs: 183.25,
    totalMs: 2912.333,
    overheadMs: 0.31,
    promptTokens: 812,
    completionTokens: 240,
    ...more,
  };
}

function facts(n: number, more: Partial<RoutingFacts> = {}): RoutingFacts {
  return {
    requestId: idOf(n),
    at: at + n,
    attempt: 1,
    mode: 'normal',
    snapshotDigest: digest,
    features: features({ estimatedTokens: 812, maxOutputTokens: 1024 }),
    tried: [],
    cursor: n,
    seed: (n * 2_654_435_761) >>> 0,
    budget: 'Normal',
    ...more,
  };
}

function decisionAmong(backends: number) {
  const targets = Array.from({ length: backends }, (_, i) =>
    target(`backend-${i}`, {}, { pending: 20 + i, capacity: 64, latencyMs: 180 + 31 * i }),
  );
  const { snapshot, counters } = fleetOf(targets);
  return decide(snapshot, counters, features(), {
    tried: [],
    cursor: 0,
    seed: 1,
    budget: 'Normal',
  });
}

/** Encodes requests as a gateway does and counts the bytes of their blocks, 64 for each frame. */
function bytesPerRequest(requests: number, blockBytes: number): number {
  const encoder = new RecordEncoder();
  const decision = decisionAmong(10);
  let bytes = 0;
  for (let n = 0; n < requests; n++) {
    encoder.admission(admitted(n));
    encoder.routing(facts(n), decision);
    // It ends when others have begun, in another block than it began in.
    if (n >= 500) encoder.settled(settled(n - 500));
    if (encoder.size < blockBytes && n < requests - 1) continue;
    bytes += 64 + (encoder.take()?.payload.length ?? 0);
  }
  return bytes / requests;
}

describe('a block', () => {
  it('takes at most 160 bytes for a request of ten candidates, and 260 when it is small', () => {
    assert.ok(bytesPerRequest(5000, 65_536) < 160, `${bytesPerRequest(5000, 65_536)}`);
    assert.ok(bytesPerRequest(5000, 512) < 260, `${bytesPerRequest(5000, 512)}`);
  });

  it('counts its records and its bytes, and knows the ends of its time though clocks jump', () => {
    const encoder = new RecordEncoder();
    for (const n of [40, 7, 90, 30]) encoder.admission(admitted(n));
    assert.equal(encoder.records, 4);
    const { size } = encoder;
    const block = encoder.take();
    assert.deepEqual([block?.records, block?.firstAtMs, block?.lastAtMs], [4, at + 7, at + 90]);
    const length = block?.payload.length ?? 0;
    assert.ok(Math.abs(size - length) <= 5, `${size} told, ${length} taken`);
  });

  it('is none without a record', () => {
    const encoder = new RecordEncoder();
    assert.equal(encoder.take(), undefined);
    encoder.admission(admitted(1));
    assert.notEqual(encoder.take(), undefined);
    assert.equal(encoder.take(), undefined);
  });

  it('stands alone: the next one tells names and requests again', () => {
    const encoder = new RecordEncoder();
    const blocks = [1, 1].map((n) => {
      encoder.admission(admitted(n));
      encoder.settled(settled(n));
      return encoder.take()?.payload ?? new Uint8Array();
    });
    assert.deepEqual(blocks[0], blocks[1]);
    const read = decodeBlock(currentCodec, blocks[1] ?? new Uint8Array());
    assert.deepEqual(read.ok && read.value, [admitted(1), settled(1)]);
  });

  it('is the caller’s own: what is written later does not change it', () => {
    const encoder = new RecordEncoder();
    encoder.admission(admitted(1));
    const taken = encoder.take()?.payload ?? new Uint8Array();
    const before = taken.slice();
    for (let n = 0; n < 50; n++) encoder.admission(admitted(n));
    encoder.take();
    assert.deepEqual(taken, before);
  });

  it('grows beyond its first buffer, by many records and by one that is large', () => {
    const encoder = new RecordEncoder();
    const decision = decisionAmong(4000);
    for (let n = 0; n < 20; n++) encoder.routing(facts(n), decision);
    const text = 'ж'.repeat(300_000);
    encoder.control({ kind: 'control', at, name: 'large', version: 1, input: text, output: 1 });
    encoder.settled(settled(3));
    const read = decodeBlock(currentCodec, encoder.take()?.payload ?? new Uint8Array());
    assert.equal(read.ok && read.value.length, 22);
    const large = read.ok ? read.value[20] : undefined;
    assert.equal(large?.kind === 'control' && large.input, text);
    assert.deepEqual(read.ok && read.value[21], settled(3));
  });
});

describe('a duration', () => {
  it('is kept to the microsecond, and a negative one is 0', () => {
    const encoder = new RecordEncoder();
    encoder.settled(settled(1, { totalMs: 1.23456, overheadMs: -0.4, firstByteMs: undefined }));
    const read = decodeBlock(currentCodec, encoder.take()?.payload ?? new Uint8Array());
    const expected = settled(1, { totalMs: 1.235, overheadMs: 0, firstByteMs: undefined });
    assert.deepEqual(read.ok && read.value, [expected]);
  });
});

describe('a bug of the caller is told', () => {
  const faulty: readonly (readonly [string, (encoder: RecordEncoder) => void, RegExp])[] = [
    ['an id that is no UUID', (to) => to.settled(settled(1, { requestId: 'r-1' })), /r-1/],
    [
      'an id in capitals, which would not come back',
      (to) => to.settled(settled(1, { requestId: idOf(10).toUpperCase() })),
      /lower-case UUID/,
    ],
    ['half a millisecond', (to) => to.settled(settled(1, { at: 1.5 })), /is 1\.5, but/],
    ['a time before 1970', (to) => to.settled(settled(1, { at: -1 })), /is -1, but/],
    ['a count below zero', (to) => to.settled(settled(1, { promptTokens: -3 })), /-3 is no whole/],
    ['a refusal without its code', (to) => to.admission({ ...admitted(1), kind: 'shed' }), /code/],
  ];
  for (const [name, write, words] of faulty) {
    it(name, () => {
      const encoder = new RecordEncoder();
      assert.throws(() => {
        write(encoder);
        encoder.take();
      }, words);
    });
  }
});
