// Request bodies under caps that have names: bytes, chunks, a total time and a least rate. A body of
// the data plane is read whole: nothing of it goes upstream before it is complete and checked.

import type { IncomingMessage } from 'node:http';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';

export type BodyCaps = {
  readonly bytes: number;
  readonly chunks: number;
  readonly timeMs: number;
  /** Time before the speed of a body counts. */
  readonly graceMs: number;
  readonly minBytesPerSecond: number;
};

/** The label of `tensorforge_http_refused_total` for a fault of a body; undefined for other codes. */
export function bodyFaultKind(code: ErrorCode): string | undefined {
  switch (code) {
    case 'payload_too_large':
      return 'body_too_large';
    case 'too_many_chunks':
      return 'too_many_chunks';
    case 'request_timeout':
      return 'slow_client';
    case 'malformed_http':
      return 'trailer';
    default:
      return undefined;
  }
}

/** What has come of one body, and whether that is still within its caps. */
export class BodyMeter {
  readonly #caps: BodyCaps;
  readonly #startedMs: number;
  #bytes = 0;
  #chunks = 0;

  constructor(caps: BodyCaps, startedMs: number) {
    this.#caps = caps;
    this.#startedMs = startedMs;
  }

  /** Counts one piece; the fault when it is one too many. */
  add(bytes: number): Refusal | undefined {
    this.#bytes += bytes;
    this.#chunks++;
    if (this.#bytes > this.#caps.bytes) {
      const words = `The body is larger than ${this.#caps.bytes} bytes.`;
      return refusal('payload_too_large', words);
    }
    if (this.#chunks > this.#caps.chunks) {
      const words = `The body came in more than ${this.#caps.chunks} chunks. Send larger ones.`;
      return refusal('too_many_chunks', words);
    }
    return undefined;
  }

  /** The fault of a client that has been too slow. */
  late(nowMs: number): Refusal | undefined {
    const { timeMs, graceMs, minBytesPerSecond } = this.#caps;
    const elapsedMs = nowMs - this.#startedMs;
    const dueBytes = (Math.max(0, elapsedMs - graceMs) / 1000) * minBytesPerSecond;
    if (elapsedMs <= timeMs && this.#bytes >= dueBytes) return undefined;
    const words = `The body came too slowly: ${this.#bytes} bytes in ${Math.round(elapsedMs / 1000)} s. At least ${minBytesPerSecond} bytes per second are expected, ${timeMs / 1000} s in all.`;
    return refusal('request_timeout', words);
  }
}

/** Trailers could change what was admitted, so a body with any is refused (case 64). */
export function trailerFault(request: IncomingMessage): Refusal | undefined {
  if (request.rawTrailers.length === 0) return undefined;
  return refusal('malformed_http', 'Trailers are not accepted.');
}

export class BodyReader {
  readonly #request: IncomingMessage;
  readonly #meter: BodyMeter;
  readonly #done: (result: Result<Buffer, Refusal>) => void;
  readonly #parts: Buffer[] = [];
  #ended = false;

  /** Calls `done` exactly once, unless {@link stop} is called before. */
  constructor(
    request: IncomingMessage,
    caps: BodyCaps,
    startedMs: number,
    done: (result: Result<Buffer, Refusal>) => void,
  ) {
    this.#request = request;
    this.#meter = new BodyMeter(caps, startedMs);
    this.#done = done;
    request.on('data', this.#onData);
    request.on('end', this.#onEnd);
  }

  /** Ends it without an answer: the client is gone. */
  stop(): void {
    this.#ended = true;
    this.#request.removeListener('data', this.#onData);
    this.#request.removeListener('end', this.#onEnd);
  }

  /** Called now and then: has the client been too slow? */
  sweep(nowMs: number): void {
    const fault = this.#ended ? undefined : this.#meter.late(nowMs);
    if (fault !== undefined) this.#finish(err(fault));
  }

  readonly #onData = (chunk: Buffer): void => {
    const fault = this.#meter.add(chunk.length);
    if (fault === undefined) this.#parts.push(chunk);
    else this.#finish(err(fault));
  };

  readonly #onEnd = (): void => {
    const fault = trailerFault(this.#request);
    if (fault !== undefined) {
      this.#finish(err(fault));
      return;
    }
    const only = this.#parts[0];
    const whole =
      this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
    this.#finish(ok(whole));
  };

  #finish(result: Result<Buffer, Refusal>): void {
    if (this.#ended) return;
    this.stop();
    this.#done(result);
  }
}
