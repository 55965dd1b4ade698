// Goal: what is written is read back, and nothing that differs by a bit is. Method: round trips
// over random fields; every bit of a header and of frames is flipped once.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { holds } from '../../../test/support/properties.ts';
import { encodeHeader, headerBytesMax, noHash, parseHeader } from './segment-format.ts';
import { encodeBlock, encodeSeal, parseFrame, payloadDamage } from './segment-frame.ts';

const header = {
  stream: 't0',
  number: 3,
  createdAtMs: 1_700_000_000_123,
  program: 'tensorforge 1.2.0',
  previousHash: Buffer.alloc(32, 7),
};

const fields = {
  sequence: 41,
  dropped: 2,
  firstAtMs: 1_700_000_000_000,
  lastAtMs: 1_700_000_000_250,
  records: 5,
  behaviour: 9,
  codec: 1,
};

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
}

/** The bytes with another value at `offset`, and the checksum at the end made to fit. */
function repaired(bytes: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  copy.writeUInt32LE(crc32(copy.subarray(0, -4)), copy.length - 4);
  return copy;
}

const count = fc.nat({ max: 2 ** 52 });

describe('decision log: format', () => {
  holds(
    'a block frame reads back as it was written',
    fc.property(
      fc.record({
        sequence: count.map((value) => value + 1),
        firstAtMs: count,
        records: fc.integer({ min: 1, max: 0xffff_ffff }),
        behaviour: fc.nat({ max: 0xffff_ffff }),
        codec: fc.nat({ max: 0xffff }),
      }),
      fc.nat(),
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      (own, lasted, payload) => {
        const written = { ...own, dropped: own.sequence - 1, lastAtMs: own.firstAtMs + lasted };
        const { bytes, hash } = encodeBlock(written, payload, noHash());
        const parsed = parseFrame(bytes);
        assert.ok(parsed.ok && parsed.value.kind === 'block');
        const { payloadCrc, ...frame } = parsed.value;
        assert.deepEqual(frame, { kind: 'block', ...written, payloadBytes: payload.length, hash });
        assert.equal(payloadCrc, crc32(payload));
        assert.equal(payloadDamage(parsed.value, Buffer.from(payload)), undefined);
      },
    ),
  );

  test('a header reads back, and a program text that is too long is cut between characters', () => {
    const parsed = parseHeader(Buffer.concat([encodeHeader(header).bytes, Buffer.alloc(50)]));
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.value.header, header);
    assert.deepEqual(parsed.value.hash, encodeHeader(header).hash);

    const long = encodeHeader({ ...header, stream: 'x'.repeat(32), program: '€'.repeat(100) });
    assert.ok(long.bytes.length <= headerBytesMax);
    const again = parseHeader(long.bytes);
    assert.ok(again.ok);
    assert.match(again.value.header.program, /^€+$/);
  });

  test('one flipped bit anywhere in a header, a block frame or a seal is seen', () => {
    const { bytes: head } = encodeHeader(header);
    for (let bit = 0; bit < head.length * 8; bit++) {
      const parsed = parseHeader(flipped(head, bit));
      assert.ok(!parsed.ok, `bit ${bit} of the header`);
      assert.notEqual(parsed.error.reason, 'unknown_version');
    }
    const seal = encodeSeal({ ...fields, blocks: 2 }, noHash()).bytes;
    for (const frame of [encodeBlock(fields, Buffer.from('abc'), noHash()).bytes, seal]) {
      for (let bit = 0; bit < frame.length * 8; bit++) {
        assert.ok(!parseFrame(flipped(frame, bit)).ok, `bit ${bit} of a frame`);
      }
    }
  });

  test('a header cut at any byte is truncated, not something else', () => {
    const { bytes } = encodeHeader(header);
    for (let length = 0; length < bytes.length; length++) {
      const parsed = parseHeader(bytes.subarray(0, length));
      assert.equal(parsed.ok ? 'read' : parsed.error.reason, 'truncated', `${length} bytes`);
    }
  });

  test('another version is refused with the program that writes it', () => {
    const newer = repaired(encodeHeader(header).bytes, (copy) => copy.writeUInt16LE(7, 8));
    assert.deepEqual(parseHeader(newer), {
      ok: false,
      error: {
        reason: 'unknown_version',
        expected: 'format 1',
        found: 'format 7, written by "tensorforge 1.2.0"',
      },
    });
  });

  test('fields that no writer sets are refused even with a checksum that fits', () => {
    const head = encodeHeader(header).bytes;
    const own = 14 + header.program.length;
    for (const [what, change] of [
      ['a stream that is no name', (copy: Buffer) => copy.write('T', own, 'latin1')],
      ['segment 0', (copy: Buffer) => copy.writeUInt32LE(0, own + 2)],
      ['a time beyond 2^53', (copy: Buffer) => copy.writeUInt32LE(0x20_0000, own + 10)],
      ['a program text that is longer', (copy: Buffer) => copy.writeUInt8(18, 12)],
    ] as const) {
      const parsed = parseHeader(repaired(head, change));
      assert.equal(parsed.ok ? 'read' : parsed.error.reason, 'bad_header', what);
    }
    const block = encodeBlock(fields, Buffer.from('abc'), noHash()).bytes;
    for (const [what, change] of [
      ['no payload', (copy: Buffer) => copy.writeUInt32LE(0, 4)],
      ['a payload of 16 MiB and a byte', (copy: Buffer) => copy.writeUInt32LE(0x100_0001, 4)],
      ['a sequence beyond 2^53', (copy: Buffer) => copy.writeUInt32LE(0x20_0000, 12)],
      ['more dropped than there were', (copy: Buffer) => copy.writeUInt32LE(41, 16)],
      ['a last before the first', (copy: Buffer) => copy.writeUInt32LE(0, 36)],
      ['no records', (copy: Buffer) => copy.writeUInt32LE(0, 40)],
      ['a reserved byte', (copy: Buffer) => copy.writeUInt8(1, 51)],
      ['an unknown mark', (copy: Buffer) => copy.writeUInt8(0x43, 3)],
    ] as const) {
      const parsed = parseFrame(repaired(block, change));
      assert.equal(parsed.ok ? 'read' : parsed.error.reason, 'bad_frame', what);
    }
  });
});
