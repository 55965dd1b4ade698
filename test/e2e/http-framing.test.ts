// The security catalogue, cases 1 to 69: how long is a request? Every answer but one is refused, on
// real sockets, each case both in one write and in one write per byte. The key is good throughout,
// so that nothing but the framing can be the reason.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { cpuMsOf } from '../support/cpu-time.ts';
import {
  assertRefused,
  chatBody,
  goodRequest,
  RefusalBook,
  requestText,
} from '../support/front-door.ts';
import { type Product, startProduct } from '../support/product.ts';
import { errorCodeOf, exchangeUntilClosed, RawClient } from '../support/raw-client.ts';

let product: Product;
const book = new RefusalBook();

before(async () => {
  product = await startProduct({ arguments: ['--threads', '1'] });
});
after(() => product.stop());

type FramingCase = {
  readonly name: string;
  readonly lines: readonly string[];
  readonly body: string;
  readonly kind?: string;
  readonly status?: number;
  readonly code?: string;
};

const size = Buffer.byteLength(chatBody);
const hex = size.toString(16);
const chunkedLine = 'Transfer-Encoding: chunked';
const wholeChunk = `${hex}\r\n${chatBody}\r\n0\r\n\r\n`;

function dispatched(): number {
  return product.sims[0]?.stats().requests_total ?? -1;
}

/** A case of the head: these lines, then a body that would be good by either reading. */
function head(name: string, kind: string, ...lines: string[]): FramingCase {
  const isChunked = lines.some((line) => /^transfer-encoding/i.test(line));
  return { name, kind, lines, body: isChunked ? wholeChunk : chatBody };
}

/** A case of the body: chunked is announced, and this comes. */
function chunks(name: string, body: string, kind = 'malformed'): FramingCase {
  return { name, kind, lines: [chunkedLine], body };
}

const length = `Content-Length: ${size}`;
const contentLength = (value: string) => `Content-Length: ${value}`;
const coding = (value: string) => `Transfer-Encoding: ${value}`;

const cases: readonly FramingCase[] = [
  head('1: a length, then a transfer coding', 'malformed', length, chunkedLine),
  head('2: a transfer coding, then a length', 'malformed', chunkedLine, length),
  head('3: two different lengths', 'malformed', length, 'Content-Length: 5'),
  head('4: two equal lengths', 'malformed', length, length),
  head('5: a list of lengths', 'malformed', contentLength(`${size}, ${size}`)),
  head('6: a plus sign', 'malformed', contentLength(`+${size}`)),
  head('7: a negative length', 'malformed', contentLength('-1')),
  head('8: a hexadecimal length', 'malformed', contentLength('0x4')),
  head('9: an underscore', 'malformed', contentLength('0_4')),
  head('10: an empty length', 'malformed', contentLength('')),
  head('11: two numbers', 'malformed', contentLength('4 4')),
  head('12: a vertical tab before the number', 'malformed', contentLength('\v4')),
  head('13: a length of 2^64', 'malformed', contentLength('18446744073709551616')),
  head('14: a leading zero', 'content_length', contentLength(`0${size}`)),
  {
    ...head('15: a length above 2^53', 'body_too_large', contentLength('9007199254740993')),
    status: 413,
    code: 'payload_too_large',
  },
  {
    ...head('15: a length one above the limit', 'body_too_large', contentLength('10485761')),
    status: 413,
    code: 'payload_too_large',
  },
  head('16: a blank before the colon of a length', 'malformed', `Content-Length : ${size}`),
  head('17: a blank before the colon of a coding', 'malformed', 'Transfer-Encoding : chunked'),
  head('18: a vertical tab in a coding', 'malformed', coding('\vchunked')),
  head('18: a form feed in a coding', 'malformed', coding('chunked\f')),
  head('19: xchunked', 'transfer_encoding', coding('xchunked')),
  head('20: chunked, identity', 'malformed', coding('chunked, identity')),
  head('21: identity', 'transfer_encoding', coding('identity')),
  head('22: chunked, chunked', 'transfer_encoding', coding('chunked, chunked')),
  head('23: two lines of coding', 'malformed', chunkedLine, chunkedLine),
  head('24: a quoted coding', 'malformed', coding('"chunked"')),
  head('25: an empty coding', 'malformed', coding('')),
  head('26: chunked and a comma', 'malformed', coding('chunked,')),
  head('27: a comma and chunked', 'transfer_encoding', coding(',chunked')),
  head('28: chunked with a parameter', 'transfer_encoding', coding('chunked;q=1')),
  head('29: a folded coding', 'malformed', 'Transfer-Encoding:\r\n chunked'),
  {
    ...head('31: gzip, chunked', 'transfer_coding', coding('gzip, chunked')),
    status: 501,
    code: 'unsupported_transfer_coding',
  },
  chunks('44: a chunk size of 0x4', `0x${wholeChunk}`),
  chunks('45: a plus sign before a chunk size', `+${wholeChunk}`),
  chunks('46: a negative chunk size', `-${wholeChunk}`),
  chunks('47: a blank before a chunk size', ` ${wholeChunk}`),
  chunks('48: a blank behind a chunk size', `${hex} \r\n${chatBody}\r\n0\r\n\r\n`),
  chunks('49: an underscore in a chunk size', `0_${wholeChunk}`),
  chunks('50: an empty chunk size', `\r\n${chatBody}\r\n0\r\n\r\n`),
  chunks('51: a chunk size of G', `G\r\n${chatBody}\r\n0\r\n\r\n`),
  chunks('52: a chunk size of 17 digits', `1${'0'.repeat(16)}\r\n${chatBody}\r\n0\r\n\r\n`),
  chunks('54: a chunk size ended by LF', `${hex}\n${chatBody}\r\n0\r\n\r\n`),
  chunks('55: chunk data ended by LF', `${hex}\r\n${chatBody}\n0\r\n\r\n`),
  chunks('56: chunk data with no line end', `${hex}\r\n${chatBody}0\r\n\r\n`),
  chunks('57: chunk data ended by two other bytes', `${hex}\r\n${chatBody}XX0\r\n\r\n`),
  chunks('58: more chunk data than announced', `4\r\n${chatBody}\r\n0\r\n\r\n`),
  chunks('59: a chunk extension ended by LF', `${hex};a\n${chatBody}\r\n0\r\n\r\n`),
  chunks('60: a CR in a chunk extension', `${hex};a\rb\r\n${chatBody}\r\n0\r\n\r\n`),
  chunks('61: a bare semicolon behind a chunk size', `${hex};\r\n${chatBody}\r\n0\r\n\r\n`),
  chunks('62: a last chunk ended by LF', `${hex}\r\n${chatBody}\r\n0\n\n`),
  chunks('63: a trailer ended by LF', `${hex}\r\n${chatBody}\r\n0\r\nX: 1\n\r\n`),
  ...['Authorization: Bearer x', 'Host: a', 'X: 1'].map((trailer) =>
    chunks(
      `64: a trailer ${trailer.split(':')[0]}`,
      `${hex}\r\n${chatBody}\r\n0\r\n${trailer}\r\n\r\n`,
      'trailer',
    ),
  ),
  chunks('64: a trailer Content-Length', `${hex}\r\n${chatBody}\r\n0\r\nContent-Length: 5\r\n\r\n`),
];

describe('a request whose length has two readings, or none, is refused', () => {
  for (const one of cases) {
    for (const bytewise of [false, true]) {
      it(`case ${one.name}${bytewise ? ', byte by byte' : ''}`, async () => {
        const seen = dispatched();
        const text = requestText(product.adminKey, one);
        const { answers, surplus } = await exchangeUntilClosed(product.port, text, { bytewise });
        book.note(one.kind ?? 'malformed');
        assert.equal(answers.length, 1);
        assertRefused(answers[0], one.status ?? 400, one.code ?? 'malformed_http');
        assert.equal(surplus, '');
        assert.equal(dispatched(), seen, 'nothing reached an engine');
      });
    }
  }
});

describe('what the head alone decides', () => {
  it('case 30: a transfer coding on HTTP/1.0', async () => {
    const seen = dispatched();
    const text = requestText(product.adminKey, {
      version: 'HTTP/1.0',
      lines: [chunkedLine],
      body: wholeChunk,
    });
    const { answers } = await exchangeUntilClosed(product.port, text);
    book.note('transfer_encoding');
    assert.equal(answers.length, 1);
    assertRefused(answers[0], 400, 'malformed_http');
    assert.equal(dispatched(), seen);
  });

  it('case 15: a body above the limit is refused before a byte of it has come', async () => {
    const text = requestText(product.adminKey, { lines: ['Content-Length: 10485761'] });
    const { answers } = await exchangeUntilClosed(product.port, text);
    book.note('body_too_large');
    assertRefused(answers[0], 413, 'payload_too_large');
  });

  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    for (const [line, body] of [
      [length, chatBody],
      [chunkedLine, wholeChunk],
    ] as const) {
      it(`case 69: ${method} with a body, ${line.split(':')[0]}`, async () => {
        const text = requestText(product.adminKey, { method, lines: [line], body });
        const { answers } = await exchangeUntilClosed(product.port, text);
        book.note('unexpected_body');
        assertRefused(answers[0], 400, 'unexpected_body');
      });
    }
  }
});

describe('chunked bodies', () => {
  it('case 65: a chunk extension is dropped', async () => {
    const client = await RawClient.open(product.port);
    const body = `${hex};a=b;c="d"\r\n${chatBody}\r\n0;e\r\n\r\n`;
    const seen = dispatched();
    client.send(requestText(product.adminKey, { lines: [chunkedLine], body }));
    assert.equal((await client.answer()).status, 200);
    client.send(goodRequest(product.adminKey));
    assert.equal((await client.answer()).status, 200, 'the next request starts where it should');
    assert.equal(dispatched(), seen + 2);
    client.destroy();
  });

  it('case 66: chunk extensions above 16 KiB', async () => {
    const body = `${hex};a=${'b'.repeat(17_000)}\r\n${chatBody}\r\n0\r\n\r\n`;
    const text = requestText(product.adminKey, { lines: [chunkedLine], body });
    const { answers } = await exchangeUntilClosed(product.port, text);
    book.note('chunk_extensions');
    assertRefused(answers[0], 413, 'payload_too_large');
  });

  it('case 67: chunks above the limit of a body are refused as soon as they have come', async () => {
    const client = await RawClient.open(product.port);
    const chunk = `100000\r\n${'a'.repeat(0x100000)}\r\n`;
    client.send(requestText(product.adminKey, { lines: [chunkedLine], body: chunk }));
    for (let sent = 1; sent < 12; sent++) client.send(chunk);
    const { answers } = await client.untilClosed();
    book.note('body_too_large');
    assertRefused(answers[0], 413, 'payload_too_large');
  });

  it('case 68: 10 MiB in chunks of one byte are refused without holding up others', async () => {
    const seen = dispatched();
    const client = await RawClient.open(product.port);
    const other = await RawClient.open(product.port);
    client.send(requestText(product.adminKey, { lines: [chunkedLine] }));
    const piece = '1\r\na\r\n'.repeat(8192);
    const beganMs = cpuMsOf(product.pid);
    let pieces = 0;
    for (let sent = 0; sent < 10 * 1024 * 1024 && !client.isEnded; sent += 8192) {
      client.send(piece);
      pieces++;
      other.send(requestText(product.adminKey, { method: 'GET', target: '/v1/models' }));
      assert.equal((await other.answer()).status, 200);
    }
    const workMs = (cpuMsOf(product.pid) - beganMs) / pieces;
    const { answers } = await client.untilClosed();
    other.destroy();
    book.note('too_many_chunks');
    assertRefused(answers[0], 413, 'too_many_chunks');
    assert.equal(dispatched(), seen);
    // Others are answered between the pieces, so what one piece keeps the processor busy for is what
    // they wait for it: 50 ms are allowed. All threads of the process count here, and the answer to the
    // other client, on whatever processor there is today.
    assert.ok(workMs < 200, `a piece and an answer took ${workMs} ms of the processor`);
  });

  it('case 53: leading zeros of a chunk size, which are not refused, change nothing', async () => {
    const client = await RawClient.open(product.port);
    const body = `${'0'.repeat(40)}${wholeChunk}`;
    const seen = dispatched();
    client.send(requestText(product.adminKey, { lines: [chunkedLine], body }));
    assert.equal((await client.answer()).status, 200);
    client.send(goodRequest(product.adminKey));
    assert.equal((await client.answer()).status, 200);
    assert.equal(dispatched(), seen + 2);
    client.destroy();
  });
});

describe('a good request', () => {
  const framings: readonly (readonly [string, string, string])[] = [
    ['Content-Length', length, chatBody],
    [
      'chunked',
      chunkedLine,
      `5;x\r\n${chatBody.slice(0, 5)}\r\n${(size - 5).toString(16)}\r\n${chatBody.slice(5)}\r\n0\r\n\r\n`,
    ],
  ];
  for (const [name, line, body] of framings) {
    it(`is the same request wherever its bytes are split, ${name}`, async () => {
      const text = requestText(product.adminKey, { lines: [line], body });
      const client = await RawClient.open(product.port);
      const seen = dispatched();
      for (let at = 1; at < text.length; at++) {
        client.send(text.slice(0, at));
        await new Promise(setImmediate);
        client.send(text.slice(at));
        assert.equal((await client.answer()).status, 200, `split at ${at}`);
      }
      assert.equal(dispatched(), seen + text.length - 1);
      client.destroy();
    });
  }
});

describe('the control API', () => {
  const control = { target: '/api/v1/keys', method: 'POST' } as const;
  const key = '{"name":"framing"}';
  const keys = async () => (await product.json('/api/v1/keys')).body as { readonly count: number };

  it('case 1: refuses two lengths in its own envelope', async () => {
    const text = requestText(product.adminKey, { ...control, lines: [length, chunkedLine] });
    const { answers } = await exchangeUntilClosed(product.port, text);
    book.note('malformed');
    assert.ok(answers[0]);
    assert.equal(answers[0].status, 400);
    assert.deepEqual(errorCodeOf(answers[0]), { face: 'control', code: 'malformed_http' });
  });

  it('case 64: does nothing for a request with trailers', async () => {
    const { count } = await keys();
    const body = `${key.length.toString(16)}\r\n${key}\r\n0\r\nX: 1\r\n\r\n`;
    const text = requestText(product.adminKey, { ...control, lines: [chunkedLine], body });
    const { answers } = await exchangeUntilClosed(product.port, text);
    book.note('trailer');
    assert.ok(answers[0]);
    assert.equal(answers.length, 1);
    assert.deepEqual(errorCodeOf(answers[0]), { face: 'control', code: 'malformed_http' });
    assert.equal((await keys()).count, count);
  });

  it('takes a chunked body split at every byte', async () => {
    const body = `${key.length.toString(16)}\r\n${key}\r\n0\r\n\r\n`;
    const client = await RawClient.open(product.port);
    await client.sendBytewise(
      requestText(product.adminKey, { ...control, lines: [chunkedLine], body }),
    );
    assert.equal((await client.answer()).status, 201);
    client.destroy();
  });

  it('answers a refused request before its body ends, and the connection goes on', async () => {
    const client = await RawClient.open(product.port, { localAddress: '127.0.69.1' });
    const body = 'a'.repeat(200_000);
    client.send(requestText('tfk_bad', { ...control, lines: [contentLength('200000')], body }));
    assert.equal((await client.answer()).status, 401);
    client.send(requestText(product.adminKey, { method: 'GET', target: '/api/v1/me' }));
    assert.equal((await client.answer()).status, 200);
    client.destroy();
  });
});

it('every refusal of this file was counted under its kind', () => book.compare(product));
