// How long is the body? Two answers to that question are how requests are smuggled, so there must be
// exactly one: a canonical Content-Length, or the single transfer coding `chunked`, or no body.

import { err, ok, type Result } from '../../base/result.ts';
import { type HeadRefusal, malformedHead, refuseHead } from './head-refusal.ts';
import type { HeaderLines } from './header-lines.ts';

export type FramedHead = { readonly method: string; readonly httpVersion: string };

export type Framing = { readonly contentLength: number | undefined; readonly chunked: boolean };

function checkTransferEncoding(head: FramedHead, g: HeaderLines): HeadRefusal | undefined {
  if (g.transferEncodingCount > 1) {
    return malformedHead('transfer_encoding', 'Two Transfer-Encoding lines. Send one, or none.')
      .error;
  }
  if (g.contentLengthCount > 0) {
    return malformedHead(
      'transfer_encoding',
      'Both Transfer-Encoding and Content-Length were sent. Send one of them.',
    ).error;
  }
  if (head.httpVersion !== '1.1') {
    return malformedHead(
      'transfer_encoding',
      'Transfer-Encoding needs HTTP/1.1. Send a Content-Length instead.',
    ).error;
  }
  const value = (g.transferEncoding ?? '').toLowerCase();
  if (value === 'chunked') return undefined;
  const understood = /^(?:(?:x-)?gzip|(?:x-)?compress|deflate|br|zstd)[\t ]*,[\t ]*chunked$/;
  if (understood.test(value)) {
    return refuseHead(
      'transfer_coding',
      'unsupported_transfer_coding',
      'The only transfer coding understood is chunked. Send the body as it is.',
    ).error;
  }
  return malformedHead(
    'transfer_encoding',
    'Transfer-Encoding is not the single value chunked. Send chunked, or a Content-Length.',
  ).error;
}

function checkContentLength(text: string, bodyBytesMax: number): Result<number, HeadRefusal> {
  if (!/^(?:0|[1-9][0-9]{0,19})$/.test(text) || BigInt(text) >= 1n << 64n) {
    return malformedHead(
      'content_length',
      'Content-Length is not one canonical decimal number below 2^64.',
    );
  }
  const length = Number(text);
  if (length <= bodyBytesMax) return ok(length);
  return refuseHead(
    'body_too_large',
    'payload_too_large',
    `The body is ${text} bytes long, the limit is ${bodyBytesMax}. Send a smaller one.`,
  );
}

/** The framing of one request, or the refusal of cases 1 to 31 and 69. */
export function checkFraming(
  head: FramedHead,
  g: HeaderLines,
  bodyBytesMax: number,
): Result<Framing, HeadRefusal> {
  let framing: Framing = { contentLength: undefined, chunked: false };
  if (g.contentLengthCount > 1) return malformedHead('content_length', 'Two Content-Length lines.');
  if (g.transferEncodingCount > 0) {
    const fault = checkTransferEncoding(head, g);
    if (fault !== undefined) return err(fault);
    framing = { contentLength: undefined, chunked: true };
  } else if (g.contentLength !== undefined) {
    const length = checkContentLength(g.contentLength, bodyBytesMax);
    if (!length.ok) return length;
    framing = { contentLength: length.value, chunked: false };
  }
  if (hasBody(framing) && /^(?:GET|HEAD|OPTIONS)$/.test(head.method)) {
    return refuseHead(
      'unexpected_body',
      'unexpected_body',
      `${head.method} carries no body here. Send the request without one.`,
    );
  }
  return ok(framing);
}

/** Will bytes follow the head? */
export function hasBody(framing: Framing): boolean {
  return framing.chunked || (framing.contentLength ?? 0) > 0;
}
