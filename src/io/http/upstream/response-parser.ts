// The answer of an HTTP/1.1 backend, read byte by byte: a pure machine without socket or clock.
//
//     head -> (1xx: head again) -> length | close | chunk size -> data -> ... -> trailers -> done
//       \____________ any violation ____________________________________________/  -> failed
//
// Bytes go in by `push`, in pieces of any size; heads and body bytes come out by the sink; whoever owns
// the machine looks at `isDone` and `failure` after each push. The result never depends on where
// the pieces were cut (held by a property test). Body bytes come out as views of what went in.
// Invariants: a byte after the end is never interpreted, only remembered as `surplus`; after `stop`,
// the end or a failure the sink hears nothing; `reusable` is true only after a complete, unambiguous
// answer without surplus.

import { type AnswerHead, isTrailerSection, parseHead } from './response-head.ts';
import type { FailureReason, ResolvedLimits } from './upstream.ts';

export interface ResponseSink {
  onHead(status: number, headers: readonly string[]): void;
  onData(chunk: Buffer): void;
}

// Plain numbers, because this switch runs for every piece of every answer.
const HEAD = 0;
const LENGTH = 1;
const CLOSE = 2;
const CHUNK_SIZE = 3;
const CHUNK_EXTENSION = 4;
const CHUNK_LINE_LF = 5;
const CHUNK_DATA = 6;
const CHUNK_DATA_CR = 7;
const CHUNK_DATA_LF = 8;
const TRAILERS = 9;
const DONE = 10;
const STOPPED = 11;

const CR = 0x0d;
const LF = 0x0a;

// A head is decoded in steps of this many bytes, so that a body in the same read is mostly left alone.
const TEXT_STEP_BYTES = 1024;
const STATUS_START = 'HTTP/1.';

export class ResponseParser {
  readonly #limits: ResolvedLimits;
  #state = HEAD;
  #failure: FailureReason | undefined;
  #started = false;
  #surplus = false;
  #keepAlive = false;
  #idleMs: number | undefined;
  #interim = 0;
  // Text of an unfinished head or trailer section, and its last characters (at most three).
  #held = '';
  #tail = '';
  // Bytes left of the body or of the chunk, and digits or bytes seen of the chunk's line.
  #left = 0;
  #lineBytes = 0;
  #bodyBytes = 0;
  #bodyBytesMax = 0;

  constructor(limits: ResolvedLimits) {
    this.#limits = limits;
  }

  /** Makes the machine ready for the next answer on the same connection. */
  begin(): void {
    this.#state = HEAD;
    this.#failure = undefined;
    this.#started = false;
    this.#surplus = false;
    this.#keepAlive = false;
    this.#idleMs = undefined;
    this.#interim = 0;
    this.#held = '';
    this.#tail = '';
    this.#bodyBytes = 0;
  }

  /** Whether a byte of an answer has arrived since `begin`. */
  get started(): boolean {
    return this.#started;
  }

  get isDone(): boolean {
    return this.#state === DONE;
  }

  get failure(): FailureReason | undefined {
    return this.#failure;
  }

  /** Whether bytes followed the end of the answer. */
  get surplus(): boolean {
    return this.#surplus;
  }

  /** Whether the connection may carry another request. */
  get reusable(): boolean {
    return this.#state === DONE && this.#keepAlive && !this.#surplus;
  }

  /** The idle time the peer announced, in milliseconds. */
  get idleMs(): number | undefined {
    return this.#idleMs;
  }

  /** Ends all reports to the sink, also from within one of its methods. */
  stop(): void {
    this.#state = STOPPED;
  }

  /** Takes the bytes from `start` up to `end`. */
  push(bytes: Buffer, start: number, end: number, sink: ResponseSink): void {
    let at = start;
    if (at < end) this.#started = true;
    while (at < end) {
      switch (this.#state) {
        case HEAD:
          at = this.#takeHead(bytes, at, end, sink);
          break;
        case LENGTH:
          at = this.#takeData(bytes, at, end, DONE, sink);
          break;
        case CLOSE:
          at = this.#takeData(bytes, at, end, CLOSE, sink);
          break;
        case CHUNK_DATA:
          at = this.#takeData(bytes, at, end, CHUNK_DATA_CR, sink);
          break;
        case TRAILERS:
          at = this.#takeTrailers(bytes, at, end);
          break;
        case DONE:
          this.#surplus = true;
          return;
        case STOPPED:
          return;
        default:
          this.#takeChunkByte(bytes[at] ?? 0);
          at++;
      }
    }
  }

  /** The peer ended the stream. */
  finish(): void {
    if (this.#state === CLOSE) this.#state = DONE;
    else if (this.#state !== DONE && this.#state !== STOPPED) {
      this.#fail(this.#started ? 'short' : 'reset');
    }
  }

  #fail(reason: FailureReason): void {
    this.#failure = reason;
    this.#state = STOPPED;
  }

  #takeHead(bytes: Buffer, at: number, end: number, sink: ResponseSink): number {
    const stop = Math.min(end, at + TEXT_STEP_BYTES);
    const text = bytes.toString('latin1', at, stop);
    const used = this.#sectionEnd(text);
    if (used === -1) {
      const isStart = this.#held.length < STATUS_START.length;
      this.#hold(text, 'head');
      if (isStart && !STATUS_START.startsWith(this.#held.slice(0, STATUS_START.length))) {
        this.#fail('head');
      }
      return stop;
    }
    const head = this.#section(text, used);
    if (head.length > this.#limits.headBytesMax) this.#fail('head_size');
    else this.#readHead(parseHead(head), sink);
    return at + used;
  }

  #takeTrailers(bytes: Buffer, at: number, end: number): number {
    const stop = Math.min(end, at + TEXT_STEP_BYTES);
    const text = bytes.toString('latin1', at, stop);
    const used = this.#sectionEnd(text);
    if (used === -1) {
      this.#hold(text, 'trailer');
      return stop;
    }
    const section = this.#section(text, used);
    if (section.length > this.#limits.headBytesMax) this.#fail('head_size');
    else if (!isTrailerSection(section)) this.#fail('trailer');
    else this.#state = DONE;
    return at + used;
  }

  /** How many characters of `text` complete the section, or -1. */
  #sectionEnd(text: string): number {
    const joined = this.#tail === '' ? text : this.#tail + text;
    const found = joined.indexOf('\r\n\r\n');
    return found === -1 ? -1 : found + 4 - this.#tail.length;
  }

  #section(text: string, used: number): string {
    const section = this.#held + text.slice(0, used);
    this.#held = '';
    this.#tail = '';
    return section;
  }

  // A line end without its CR is refused at once: waiting for the empty line could take for ever.
  #hold(text: string, reason: FailureReason): void {
    const startsBare = text.charCodeAt(0) === LF && !this.#tail.endsWith('\r');
    this.#held += text;
    this.#tail = (this.#tail + text).slice(-3);
    if (startsBare || /[^\r]\n/.test(text)) this.#fail(reason);
    else if (this.#held.length > this.#limits.headBytesMax) this.#fail('head_size');
  }

  #readHead(head: AnswerHead | FailureReason, sink: ResponseSink): void {
    if (typeof head === 'string') {
      this.#fail(head);
      return;
    }
    if (head.status === 101) {
      this.#fail('upgrade');
      return;
    }
    if (head.status < 200) {
      this.#interim++;
      if (this.#interim > this.#limits.interimAnswersMax) this.#fail('interim');
      return;
    }
    this.#bodyBytesMax = head.isEventStream ? Number.MAX_SAFE_INTEGER : this.#limits.bodyBytesMax;
    if (head.framing === 'length' && head.length > this.#bodyBytesMax) {
      this.#fail('body_size');
      return;
    }
    this.#keepAlive = head.keepAlive;
    this.#idleMs = head.idleMs;
    this.#enterBody(head);
    sink.onHead(head.status, head.headers);
  }

  #enterBody(head: AnswerHead): void {
    switch (head.framing) {
      case 'none':
        this.#state = DONE;
        break;
      case 'length':
        this.#left = head.length;
        this.#state = head.length === 0 ? DONE : LENGTH;
        break;
      case 'chunked':
        this.#enterChunkLine();
        break;
      case 'close':
        this.#left = Number.MAX_SAFE_INTEGER;
        this.#state = CLOSE;
        break;
    }
  }

  #takeData(bytes: Buffer, at: number, end: number, next: number, sink: ResponseSink): number {
    const take = Math.min(this.#left, end - at);
    this.#bodyBytes += take;
    if (this.#bodyBytes > this.#bodyBytesMax) {
      this.#fail('body_size');
      return end;
    }
    this.#left -= take;
    if (this.#left === 0) this.#state = next;
    sink.onData(bytes.subarray(at, at + take));
    return at + take;
  }

  #enterChunkLine(): void {
    this.#left = 0;
    this.#lineBytes = 0;
    this.#state = CHUNK_SIZE;
  }

  #takeChunkByte(byte: number): void {
    switch (this.#state) {
      case CHUNK_SIZE:
        this.#takeSizeByte(byte);
        break;
      case CHUNK_EXTENSION:
        this.#takeExtensionByte(byte);
        break;
      case CHUNK_LINE_LF:
        if (byte !== LF) this.#fail('chunk');
        else if (this.#left > 0) this.#state = CHUNK_DATA;
        else this.#enterTrailers();
        break;
      case CHUNK_DATA_CR:
        if (byte === CR) this.#state = CHUNK_DATA_LF;
        else this.#fail('chunk');
        break;
      case CHUNK_DATA_LF:
        if (byte === LF) this.#enterChunkLine();
        else this.#fail('chunk');
        break;
    }
  }

  // At most eight hexadecimal digits; the size of a chunk then always fits a number exactly.
  #takeSizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#left = this.#left * 16 + digit;
      this.#lineBytes++;
      if (this.#lineBytes > 8) this.#fail('chunk');
    } else if (this.#lineBytes === 0) this.#fail('chunk');
    else if (byte === CR) this.#state = CHUNK_LINE_LF;
    else if (byte === 0x3b) this.#state = CHUNK_EXTENSION;
    else this.#fail('chunk');
  }

  // Quoted text needs no care: neither it nor anything else in an extension may hold a line end.
  #takeExtensionByte(byte: number): void {
    this.#lineBytes++;
    if (byte === CR) this.#state = CHUNK_LINE_LF;
    else if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) this.#fail('chunk');
    else if (this.#lineBytes > this.#limits.chunkLineBytesMax) this.#fail('chunk');
  }

  // The line end of the last chunk is put before the trailers, so that an empty section, too, ends with
  // the same four characters as a head does.
  #enterTrailers(): void {
    this.#held = '\r\n';
    this.#tail = '\r\n';
    this.#state = TRAILERS;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
