// Goal: an answer means the same however its bytes were cut, and every ambiguous one is refused.
// Method: a table of answers, each given whole, in small pieces and split at every position, and random
// valid answers with random cuts.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type AnswerShape, BAD_ANSWERS, GOOD_ANSWERS } from './answer-shapes.ts';
import { ResponseParser, type ResponseSink } from './response-parser.ts';
import { failureOf, resolveLimits, type UpstreamLimits } from './upstream.ts';

class Recorder implements ResponseSink {
  status: number | undefined;
  headers: readonly string[] = [];
  body = '';
  onHead(status: number, headers: readonly string[]): void {
    assert.equal(this.status, undefined, 'one head only');
    this.status = status;
    this.headers = headers;
  }
  onData(chunk: Buffer): void {
    assert.ok(chunk.length > 0, 'no empty pieces');
    this.body += chunk.toString('latin1');
  }
}

type Reading = {
  readonly status: number | undefined;
  readonly headers: readonly string[];
  readonly body: string;
  readonly done: boolean;
  readonly failure: string | undefined;
  readonly reusable: boolean;
};

function read(parts: readonly Buffer[], closes: boolean, limits: UpstreamLimits = {}): Reading {
  const parser = new ResponseParser(resolveLimits(limits));
  const sink = new Recorder();
  parser.begin();
  for (const part of parts) parser.push(part, 0, part.length, sink);
  if (closes) parser.finish();
  const reason = parser.failure;
  return {
    status: sink.status,
    headers: sink.headers,
    body: sink.body,
    done: parser.isDone,
    failure: reason === undefined ? undefined : failureOf(reason, true).kind,
    reusable: parser.reusable,
  };
}

function inPieces(wire: string, size: number): Buffer[] {
  const bytes = Buffer.from(wire, 'latin1');
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
  return parts;
}

function checkShape(shape: AnswerShape, parts: readonly Buffer[]): void {
  const reading = read(parts, shape.closes === true);
  assert.equal(reading.failure, shape.failure);
  assert.equal(reading.status, shape.status);
  assert.equal(reading.body, shape.body ?? '');
  assert.equal(reading.done, shape.failure === undefined);
  assert.equal(reading.reusable, shape.reusable ?? false);
}

describe('an answer read from pieces', () => {
  for (const shape of [...GOOD_ANSWERS, ...BAD_ANSWERS]) {
    const outcome = shape.failure === undefined ? 'is read' : 'is refused';
    it(`${shape.name}: ${outcome} alike, however it was cut`, () => {
      for (const size of [shape.wire.length, 1, 2, 3, 7, 13]) {
        checkShape(shape, inPieces(shape.wire, size));
      }
      const bytes = Buffer.from(shape.wire, 'latin1');
      const step = bytes.length > 4096 ? 97 : 1;
      for (let at = 1; at < bytes.length; at += step) {
        checkShape(shape, [bytes.subarray(0, at), bytes.subarray(at)]);
      }
    });
  }

  it('random valid answers mean the same for every cut', () => {
    fc.assert(
      fc.property(anAnswer, fc.array(fc.nat(400), { maxLength: 8 }), (answer, cuts) => {
        const bytes = Buffer.from(answer.wire, 'latin1');
        const places = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length];
        places.sort((a, b) => a - b);
        const parts = places.map((at, index) => bytes.subarray(at, places[index + 1] ?? at));
        const reading = read(parts, answer.closes);
        assert.equal(reading.failure, undefined);
        assert.equal(reading.done, true);
        assert.equal(reading.body, answer.body);
        assert.deepEqual(reading, read([bytes], answer.closes));
      }),
      { seed: 20261103, numRuns: 3000 },
    );
  });

  it('random bytes never make it throw, loop or speak after a failure', () => {
    const token = fc.constantFrom(...NOISE);
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        (parts, size) => {
          const wire = parts.join('');
          const whole = read([Buffer.from(wire, 'latin1')], true);
          const pieces = read(inPieces(wire, size), true);
          assert.deepEqual(pieces, whole);
        },
      ),
      { seed: 20261104, numRuns: 5000 },
    );
  });
});

describe('the head of an answer', () => {
  const headersOf = (lines: string) => {
    return read([Buffer.from(`HTTP/1.1 200 OK\r\n${lines}content-length: 0\r\n\r\n`)], false)
      .headers;
  };

  it('drops hop-by-hop headers and those that Connection names', () => {
    const lines = [
      'X-One: 1',
      'connection: keep-alive, X-Secret , x-other',
      'keep-alive: timeout=5',
      'proxy-authenticate: Basic',
      'te: trailers',
      'trailer: x',
      'upgrade: h2c',
      'x-secret: 2',
      'X-Other: 3',
      'x-two:\t 4 \t',
    ];
    const headers = headersOf(`${lines.join('\r\n')}\r\n`);
    assert.deepEqual(headers, ['x-one', '1', 'x-two', '4', 'content-length', '0']);
  });

  it('keeps a Connection-named length for the framing', () => {
    const wire = 'HTTP/1.1 200 OK\r\nconnection: content-length\r\ncontent-length: 2\r\n\r\nok';
    const reading = read([Buffer.from(wire)], false);
    assert.deepEqual([reading.body, reading.done, reading.headers], ['ok', true, []]);
  });

  it('tells the idle time that the peer announced', () => {
    const parser = new ResponseParser(resolveLimits());
    const wire = 'HTTP/1.1 204 N\r\nkeep-alive: max=100, timeout=7\r\n\r\n';
    parser.begin();
    parser.push(Buffer.from(wire), 0, wire.length, new Recorder());
    assert.equal(parser.idleMs, 7000);
  });
});

describe('the limits of an answer', () => {
  const kind = (wire: string, limits: UpstreamLimits) => read([Buffer.from(wire)], false, limits);

  it('count the body of chunks and of a connection without length', () => {
    const limits = { bodyBytesMax: 4 };
    const chunks = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n';
    assert.equal(kind(chunks, limits).failure, 'too_large');
    assert.equal(kind('HTTP/1.1 200 OK\r\n\r\nabcde', limits).failure, 'too_large');
    assert.equal(kind('HTTP/1.1 200 OK\r\n\r\nabcd', limits).failure, undefined);
  });

  it('do not count an event stream', () => {
    const wire = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\nabcde';
    assert.equal(kind(wire, { bodyBytesMax: 4 }).failure, undefined);
  });

  it('hold for chunk extensions and for trailers', () => {
    const start = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
    assert.equal(kind(`${start}5;${'x'.repeat(2000)}`, {}).failure, 'malformed');
    assert.equal(kind(`${start}0\r\na: ${'x'.repeat(40_000)}`, {}).failure, 'too_large');
  });
});

describe('a stopped reading', () => {
  it('says nothing more, even of the same bytes', () => {
    const parser = new ResponseParser(resolveLimits());
    const heard: string[] = [];
    const wire =
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n';
    parser.begin();
    parser.push(Buffer.from(wire), 0, wire.length, {
      onHead: () => heard.push('head'),
      onData: (chunk) => {
        heard.push(chunk.toString());
        parser.stop();
      },
    });
    assert.deepEqual(heard, ['head', 'a']);
    assert.equal(parser.isDone, false);
    assert.equal(parser.reusable, false);
  });
});

const NOISE = [
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 103 E\r\n\r\n',
  'HTTP/1.1 204 N\r\n',
  'content-length: 3\r\n',
  'transfer-encoding: chunked\r\n',
  'connection: close\r\n',
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\r',
  '0\r\n',
  '3\r\n',
  'abc',
  ';x',
  ' ',
  ':',
  '\0',
];

const aField = fc
  .tuple(fc.stringMatching(/^x-[a-z]{1,8}$/), fc.stringMatching(/^[!-~]([ -~]{0,30}[!-~])?$/))
  .map(([name, value]) => `${name}: ${value}\r\n`);

const aBody = fc.array(fc.stringMatching(/^[\x00-\xff]{1,40}$/), { maxLength: 6 });

const anAnswer = fc
  .tuple(fc.array(aField, { maxLength: 5 }), aBody, fc.constantFrom('length', 'chunked', 'close'))
  .map(([fields, pieces, framing]) => {
    const head = `HTTP/1.1 200 OK\r\n${fields.join('')}`;
    const body = pieces.join('');
    if (framing === 'length') {
      const wire = `${head}content-length: ${body.length}\r\n\r\n${body}`;
      return { wire, body, closes: false };
    }
    if (framing === 'close') return { wire: `${head}\r\n${body}`, body, closes: true };
    const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
    const wire = `${head}transfer-encoding: chunked\r\n\r\n${chunks}0\r\n${fields.join('')}\r\n`;
    return { wire, body, closes: false };
  });
