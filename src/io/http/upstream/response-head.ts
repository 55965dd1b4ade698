// What the head of an answer means: its framing, whether its connection may serve again, and the
// headers that may go on.
//
// Framing is where one answer can be made to look like two, so a head is either plain or refused
// (spec: security 4D, cases 204 to 217). The whole grammar is one regular expression: every class in it
// excludes the character that follows it, so matching is linear, and the extraction below may trust the
// text. It was tried as a check per field first; one pass over the head is both shorter and faster.

import type { FailureReason } from './upstream.ts';

const FIELD = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+:[\\t\\x20-\\x7e\\x80-\\xff]*\\r\\n";
const HEAD = new RegExp(
  `^HTTP/1\\.[01] [1-5][0-9]{2}(?: [\\t\\x20-\\x7e\\x80-\\xff]*)?\\r\\n(?:${FIELD})*\\r\\n$`,
);
const TRAILERS = new RegExp(`^\\r\\n(?:${FIELD})*\\r\\n$`);
const LENGTH = /^[0-9]{1,15}$/;
const IDLE_SECONDS = /(?:^|[,; \t])timeout=([0-9]{1,6})(?:$|[,; \t])/i;

/** How the end of a body is found. `close` means with the connection, which nothing else survives. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

export type AnswerHead = {
  readonly status: number;
  readonly headers: readonly string[];
  readonly framing: Framing;
  /** Bytes of the body; meaningful for the framing `length` only. */
  readonly length: number;
  readonly keepAlive: boolean;
  /** Idle time the peer announced, in milliseconds. */
  readonly idleMs: number | undefined;
  readonly isEventStream: boolean;
};

export function isTrailerSection(text: string): boolean {
  return TRAILERS.test(text);
}

/** Reads `text`, which ends with the empty line, or says why it is refused. */
export function parseHead(text: string): AnswerHead | FailureReason {
  if (!HEAD.test(text)) return 'head';
  const fields: string[] = [];
  let at = text.indexOf('\r\n') + 2;
  const last = text.length - 2;
  while (at < last) {
    const lineEnd = text.indexOf('\r\n', at);
    const colon = text.indexOf(':', at);
    fields.push(text.slice(at, colon).toLowerCase(), trimmed(text, colon + 1, lineEnd));
    at = lineEnd + 2;
  }
  return readAnswer(Number(text.slice(9, 12)), text.charCodeAt(7) === 0x31, fields);
}

function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/**
 * Decides framing and reuse from well-formed fields (flat, lower-case names, trimmed values).
 * Stricter than the RFC where it lets a recipient guess: two lengths are refused even when equal, as
 * are a length beside a transfer coding and a 204 that declares a body.
 */
export function readAnswer(
  status: number,
  isHttp11: boolean,
  fields: readonly string[],
): AnswerHead | FailureReason {
  const headers: string[] = [];
  let length: string | undefined;
  let coding: string | undefined;
  let connection = '';
  let idleMs: number | undefined;
  let isEventStream = false;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    switch (name) {
      case 'content-length':
        if (length !== undefined) return 'length';
        length = value;
        break;
      case 'transfer-encoding':
        if (coding !== undefined) return 'coding';
        coding = value.toLowerCase();
        continue;
      case 'connection':
        connection += `,${value.toLowerCase()}`;
        continue;
      case 'keep-alive':
        idleMs = idleTimeOf(value);
        continue;
      case 'te':
      case 'trailer':
      case 'upgrade':
        continue;
      case 'content-type':
        isEventStream = /^text\/event-stream(?:$|[ \t;])/i.test(value);
        break;
      default:
        if (name.startsWith('proxy-')) continue;
    }
    headers.push(name, value);
  }
  if (length !== undefined && !LENGTH.test(length)) return 'length';
  if (length !== undefined && coding !== undefined) return 'framing';
  if (coding !== undefined && coding !== 'chunked') return 'coding';
  if (coding !== undefined && !isHttp11) return 'framing';
  if (status === 204 && (coding !== undefined || Number(length ?? 0) > 0)) return 'framing';
  const named = connection === '' ? [] : connectionNames(connection);
  const framing = framingOf(status, length, coding);
  return {
    status,
    headers: named.some(isOrdinaryName) ? withoutNames(headers, named) : headers,
    framing,
    length: Number(length ?? 0),
    keepAlive: isHttp11 && framing !== 'close' && !named.includes('close'),
    idleMs,
    isEventStream,
  };
}

function framingOf(
  status: number,
  length: string | undefined,
  coding: string | undefined,
): Framing {
  if (status < 200 || status === 204 || status === 304) return 'none';
  if (coding !== undefined) return 'chunked';
  return length === undefined ? 'close' : 'length';
}

function idleTimeOf(value: string): number | undefined {
  const seconds = IDLE_SECONDS.exec(value)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

function connectionNames(value: string): readonly string[] {
  return value.split(',').map((name) => name.trim());
}

function isOrdinaryName(name: string): boolean {
  return name !== '' && name !== 'close' && name !== 'keep-alive';
}

function withoutNames(headers: readonly string[], names: readonly string[]): readonly string[] {
  return headers.filter((_, index) => !names.includes(headers[index & ~1] ?? ''));
}
