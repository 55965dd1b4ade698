// Answers of backends, good and bad, with what a client must make of each: shared by the tests of the
// parser and of the sockets. Numbers are those of the security specification, part 4D.

import type { UpstreamFailureKind } from './upstream.ts';

export type AnswerShape = {
  readonly name: string;
  readonly wire: string;
  /** The peer closes after the last byte. */
  readonly closes?: true;
  readonly status?: number;
  readonly body?: string;
  readonly failure?: UpstreamFailureKind;
  readonly reusable?: boolean;
};

const OK = 'HTTP/1.1 200 OK\r\n';
const FIVE = 'content-length: 5\r\n\r\nhello';
const CHUNKED = 'transfer-encoding: chunked\r\n\r\n';

export const GOOD_ANSWERS: readonly AnswerShape[] = [
  good('a length', `${OK}${FIVE}`, 'hello'),
  good(
    'the head of vLLM',
    `${OK}date: Mon, 03 Nov 2026 10:00:00 GMT\r\nserver: uvicorn\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}`,
    '{}',
  ),
  good('a length of zero', `${OK}content-length: 0\r\n\r\n`, ''),
  good('no reason phrase', `HTTP/1.1 200\r\n${FIVE}`, 'hello'),
  good('chunks', `${OK}${CHUNKED}5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n`, 'hello!'),
  good(
    'upper-case coding and sizes',
    `${OK}Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n00\r\n\r\n`,
    '0123456789',
  ),
  good('chunk extensions', `${OK}${CHUNKED}5;a=1;b="x;y\\"z"\r\nhello\r\n0;last\r\n\r\n`, 'hello'),
  good('trailers', `${OK}${CHUNKED}5\r\nhello\r\n0\r\nx-a: 1\r\nx-b: 2\r\n\r\n`, 'hello'),
  good(
    'line ends inside the body',
    `${OK}${CHUNKED}8\r\n\r\n0\r\n\r\n\r\r\n0\r\n\r\n`,
    '\r\n0\r\n\r\n\r',
  ),
  good('204', 'HTTP/1.1 204 No Content\r\n\r\n', '', 204),
  good(
    '304 with the length of another answer',
    'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n',
    '',
    304,
  ),
  good(
    'two interim answers',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${OK}${FIVE}`,
    'hello',
  ),
  {
    ...good('eight interim answers', `${'HTTP/1.1 103 E\r\n\r\n'.repeat(8)}${OK}${FIVE}`, 'hello'),
  },
  { ...good('connection: close', `${OK}connection: Close\r\n${FIVE}`, 'hello'), reusable: false },
  {
    ...good('HTTP/1.0', `HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n${FIVE}`, 'hello'),
    reusable: false,
  },
  {
    ...good('no length', `${OK}content-type: text/plain\r\n\r\nhello`, 'hello'),
    closes: true,
    reusable: false,
  },
  {
    ...good('case 218: surplus after a length', `${OK}${FIVE}HTTP/1.1 200 OK\r\n`, 'hello'),
    reusable: false,
  },
  { ...good('case 218: surplus after chunks', `${OK}${CHUNKED}0\r\n\r\nx`, ''), reusable: false },
  {
    ...good('case 218: surplus after 204', 'HTTP/1.1 204 No Content\r\n\r\nhello', '', 204),
    reusable: false,
  },
  good(
    'an error with its body',
    'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 5\r\n\r\nhello',
    'hello',
    503,
  ),
];

export const BAD_ANSWERS: readonly AnswerShape[] = [
  bad(
    'case 204: length and chunks together',
    `${OK}content-length: 5\r\n${CHUNKED}5\r\nhello\r\n0\r\n\r\n`,
  ),
  bad(
    'case 205: two different lengths',
    `${OK}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!`,
  ),
  bad('case 205: a list of lengths', `${OK}content-length: 5, 6\r\n\r\nhello!`),
  bad('case 205: the same length twice', `${OK}content-length: 5\r\n${FIVE}`),
  bad('case 206: bare line feeds', 'HTTP/1.1 200 OK\ncontent-length: 5\n\nhello'),
  bad('case 206: one bare line feed', `${OK}a: b\n${FIVE}`),
  bad('case 206: a bare carriage return', `${OK}a: b\rc: d\r\n${FIVE}`),
  bad('case 207: a folded header', `${OK}a: b\r\n c\r\n${FIVE}`),
  bad('case 208: status 99', `HTTP/1.1 99 OK\r\n${FIVE}`),
  bad('case 208: status 099', `HTTP/1.1 099 OK\r\n${FIVE}`),
  bad('case 208: status 1000', `HTTP/1.1 1000 OK\r\n${FIVE}`),
  bad('case 208: status 600', `HTTP/1.1 600 OK\r\n${FIVE}`),
  bad('case 209: no status line', '{"error":"hello"}'),
  bad('case 209: a header first', FIVE),
  bad('case 209: another version', `HTTP/2.0 200 OK\r\n${FIVE}`),
  bad('case 210: NUL in a header', `${OK}a: b\0c\r\n${FIVE}`),
  bad('case 210: a control character in a header', `${OK}a: b\x1bc\r\n${FIVE}`),
  bad('case 210: NUL in a header name', `${OK}a\0: b\r\n${FIVE}`),
  bad(
    'case 211: an unasked switch of protocols',
    'HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n',
  ),
  bad('case 211: a bare 101', `HTTP/1.1 101 X\r\n\r\n${OK}${FIVE}`),
  {
    ...bad('case 212: a chunk with bare line feeds', `${OK}${CHUNKED}5\nhello\n0\n\n`),
    status: 200,
  },
  {
    ...bad('case 212: chunk data ended by a line feed', `${OK}${CHUNKED}5\r\nhello\n0\r\n\r\n`),
    status: 200,
    body: 'hello',
  },
  {
    ...bad('case 212: chunk data without an end', `${OK}${CHUNKED}5\r\nhello0\r\n\r\n`),
    status: 200,
    body: 'hello',
  },
  { ...bad('case 212: trailers with a line feed', `${OK}${CHUNKED}0\r\na: b\n\r\n`), status: 200 },
  { ...bad('case 212: a size without digits', `${OK}${CHUNKED};a\r\n\r\n`), status: 200 },
  {
    ...bad('case 212: a size of nine digits', `${OK}${CHUNKED}000000005\r\nhello\r\n0\r\n\r\n`),
    status: 200,
  },
  { ...bad('case 212: a size with 0x', `${OK}${CHUNKED}0x5\r\nhello\r\n0\r\n\r\n`), status: 200 },
  {
    ...bad('case 212: a blank after the size', `${OK}${CHUNKED}5 \r\nhello\r\n0\r\n\r\n`),
    status: 200,
  },
  {
    ...bad('case 212: trailers that are no headers', `${OK}${CHUNKED}0\r\nHTTP/1.1 200 OK\r\n\r\n`),
    status: 200,
  },
  {
    ...bad('case 213: a head above 32 KiB', `${OK}a: ${'x'.repeat(32 * 1024)}\r\n${FIVE}`),
    failure: 'too_large',
  },
  bad('case 214: nine interim answers', `${'HTTP/1.1 103 E\r\n\r\n'.repeat(9)}${OK}${FIVE}`),
  bad('case 216: 204 that declares a length', `HTTP/1.1 204 No Content\r\n${FIVE}`),
  bad('case 216: 204 that declares chunks', `HTTP/1.1 204 No Content\r\n${CHUNKED}0\r\n\r\n`),
  bad(
    'case 217: gzip and chunked',
    `${OK}transfer-encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  ),
  bad('case 217: another coding', `${OK}transfer-encoding: identity\r\n\r\nhello`),
  bad(
    'case 217: the coding in two headers',
    `${OK}transfer-encoding: chunked\r\n${CHUNKED}0\r\n\r\n`,
  ),
  bad('chunks in HTTP/1.0', `HTTP/1.0 200 OK\r\n${CHUNKED}0\r\n\r\n`),
  bad('a signed length', `${OK}content-length: +5\r\n\r\nhello`),
  bad('a length of sixteen digits', `${OK}content-length: 0000000000000005\r\n\r\nhello`),
  bad('an empty length', `${OK}content-length:\r\n\r\nhello`),
  bad('a blank before the colon', `${OK}content-length : 5\r\n\r\nhello`),
  bad('a header without a name', `${OK}: x\r\n${FIVE}`),
  bad('a header without a colon', `${OK}x\r\n${FIVE}`),
  {
    ...bad('case 219: a short body', `${OK}content-length: 50\r\n\r\nhello`),
    closes: true,
    status: 200,
    body: 'hello',
    failure: 'short',
  },
  {
    ...bad('case 219: chunks without an end', `${OK}${CHUNKED}5\r\nhello\r\n`),
    closes: true,
    status: 200,
    body: 'hello',
    failure: 'short',
  },
  { ...bad('a head cut in the middle', `${OK}content-le`), closes: true, failure: 'short' },
  {
    ...bad('a body above its limit', `${OK}content-length: 67108865\r\n\r\n`),
    failure: 'too_large',
  },
];

function good(name: string, wire: string, body: string, status = 200): AnswerShape {
  return { name, wire, body, status, reusable: true };
}

function bad(name: string, wire: string): AnswerShape {
  return { name, wire, failure: 'malformed' };
}
