// Goal: bytes go out untouched and by whole events only (R1), nothing before there is content, and
// what is held has a bound (R2). Method: the same streams cut at every place.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HeldBytes } from './held-bytes.ts';
import { StreamRelay } from './stream-relay.ts';

const eventBytesMax = 256 * 1024;

function delta(content: string): string {
  return `data: {"choices":[{"delta":{"content":"${content}"}}]}\n\n`;
}
const role = 'data: {"choices":[{"delta":{"role":"assistant"}}]}\r\n\r\n';
const done = 'data: [DONE]\n\n';

/** What went out, piece by piece, as text. */
function relayed(relay: StreamRelay, pieces: readonly (string | Buffer)[]): string[] {
  const out: string[] = [];
  for (const piece of pieces) {
    const bytes = relay.push(Buffer.from(piece));
    if (bytes !== undefined) out.push(bytes.toString('latin1'));
  }
  return out;
}

describe('a stream', () => {
  it('is silent until its first content, and then gives all that was held', () => {
    const relay = new StreamRelay(eventBytesMax);
    assert.deepEqual(relayed(relay, [': ping\n\n', role]), []);
    assert.deepEqual([relay.begun, relay.hasContent], [false, false]);
    assert.deepEqual(relayed(relay, [delta('a')]), [`: ping\n\n${role}${delta('a')}`]);
    assert.deepEqual([relay.begun, relay.hasContent, relay.isComplete], [true, true, false]);
    relayed(relay, [done]);
    assert.ok(relay.isComplete);
    assert.equal(relay.rest().length, 0);
  });

  it('goes out by whole events, whatever the cuts, and loses no byte', () => {
    const text = `${role}${delta('a')}: c\n\n\n${delta('b')}id: 1\r\ndata: {"x":1}\r\n\r\n${done}`;
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 30 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        const pieces = at.slice(1).map((end, i) => text.slice(at[i], end));
        const relay = new StreamRelay(eventBytesMax);
        let sent = '';
        for (const piece of pieces) {
          const bytes = relay.push(Buffer.from(piece));
          if (bytes === undefined) continue;
          sent += bytes.toString('latin1');
          assert.match(sent, /\n\r?\n$/);
        }
        assert.equal(sent + relay.rest().toString('latin1'), text);
        assert.ok(relay.isComplete);
      }),
      { numRuns: 500, seed: 64 },
    );
  });

  it('holds back half an event, so that a cut shows none of it', () => {
    const relay = new StreamRelay(eventBytesMax);
    assert.deepEqual(relayed(relay, [`${delta('a')}data: {"cho`, 'ices":[', '1]}\n']), [
      delta('a'),
    ]);
    assert.equal(relay.rest().toString(), 'data: {"choices":[1]}\n');
  });

  it('is not begun by comments, however many, and holds few of them', () => {
    const relay = new StreamRelay(eventBytesMax);
    const comment = Buffer.from(`: ${'x'.repeat(1000)}\n\n`);
    for (let i = 0; i < 5000; i++) assert.equal(relay.push(comment), undefined);
    assert.equal(relay.begun, false);
    const out = relayed(relay, [role + delta('a')]).join('');
    assert.ok(out.endsWith(role + delta('a')));
    assert.ok(out.length < 300_000, `${out.length} bytes were held`);
  });

  it('is begun by much that is not content, such as a long echo of the question', () => {
    const relay = new StreamRelay(eventBytesMax);
    const created = `event: response.created\ndata: {"type":"response.created","x":"${'y'.repeat(70_000)}"}\n\n`;
    assert.deepEqual(relayed(relay, [created.slice(0, 69_000)]), []);
    assert.deepEqual(relayed(relay, [created.slice(69_000)]), [created]);
    assert.deepEqual([relay.begun, relay.hasContent], [true, false]);
  });

  it('gives nothing out at a fault, and has words for it', () => {
    for (const bad of [
      'data: \0\n\n',
      'data: a\r\rdata: b\r\r',
      `data: ${'x'.repeat(eventBytesMax)}`,
    ]) {
      const relay = new StreamRelay(eventBytesMax);
      relayed(relay, [delta('a')]);
      assert.deepEqual(relayed(relay, [`${delta('b')}${bad}`]), []);
      assert.match(relay.faultWords ?? '', /^The backend sent /);
    }
  });

  it('of many tiny pieces costs about what it is long', () => {
    const relay = new StreamRelay(eventBytesMax);
    relayed(relay, [delta('a')]);
    const event = Buffer.from(`data: {"x":"${'y'.repeat(200_000)}"}\n\n`);
    let sent = 0;
    // A byte at a time; with a copy of all that is held for each this would be 20 GB of copies.
    for (let at = 0; at < event.length; at++) {
      sent += relay.push(event.subarray(at, at + 1))?.length ?? 0;
    }
    assert.equal(sent, event.length);
  });
});

describe('held bytes', () => {
  it('come out as they went in, and once', () => {
    const held = new HeldBytes();
    const memory = Buffer.from('abc');
    held.push(memory);
    memory.fill('x');
    held.push(Buffer.from('defgh'));
    assert.equal(held.length, 8);
    assert.equal(held.take().toString(), 'abcdefgh');
    assert.equal(held.length, 0);
    assert.equal(held.take().length, 0);
  });

  it('that were taken do not change with what is held next', () => {
    const held = new HeldBytes();
    held.push(Buffer.from('first'));
    const first = held.take();
    held.push(Buffer.from('other'));
    assert.equal(first.toString(), 'first');
  });
});
