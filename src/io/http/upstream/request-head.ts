// The head of a request to a backend, written by us from parsed values.
//
// Values may stem from a client, so none may end its line: a character above 0xff counts as well,
// because writing it as latin1 keeps its low byte only, and U+010A would become a line feed.

import { assert } from '../../../base/assert.ts';
import type { UpstreamRequest } from './upstream.ts';

const PATH = /^\/[\x21-\x7e]*$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const UNSAFE_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Throws AssertionFailed for a path, name or value that could change the framing. */
export function checkRequest(request: UpstreamRequest): void {
  assert(PATH.test(request.path), 'a request path has origin form');
  const headers = request.headers;
  for (let i = 0; i < headers.length; i += 2) {
    assert(NAME.test(headers[i] ?? ''), 'a request header has a lower-case name');
    assert(!UNSAFE_IN_VALUE.test(headers[i + 1] ?? '\n'), 'a request header has a plain value');
  }
}

/** The head of a checked request, with the empty line; `host` is the value of the Host header. */
export function requestHead(request: UpstreamRequest, host: string): string {
  const headers = request.headers;
  let head = `${request.method} ${request.path} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  if (request.body !== undefined) head += `content-length: ${request.body.length}\r\n`;
  else if (request.method === 'POST') head += 'content-length: 0\r\n';
  return `${head}\r\n`;
}
