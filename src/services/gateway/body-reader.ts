// Reads a request body whole, under caps that have names: bytes, chunks, a total time and a least
// rate. Nothing of it goes upstream before it is complete and checked.

import type { IncomingMessage } from 'node:http';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';

export type BodyCaps = {
  readonly bytes: number;
  readonly chunks: number;
  readonly timeMs: number;
  /** Time before the speed of a body counts. */
  readonly graceMs: number;
  readonly minBytesPerSecond: number;
};

export class BodyReader {
  readonly #request: IncomingMessage;
  readonly #caps: BodyCaps;
  readonly #done: (result: Result<Buffer, Refusal>) => void;
  readonly #startedMs: number;
  readonly #parts: Buffer[] = [];
  #bytes = 0;
  #chunks = 0;
  #ended = false;

  /** Calls `done` exactly once, unless {@link stop} is called before. */
  constructor(
    request: IncomingMessage,
    caps: BodyCaps,
    startedMs: number,
    done: (result: Result<Buffer, Refusal>) => void,
  ) {
    this.#request = request;
    this.#caps = caps;
    this.#startedMs = startedMs;
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
    if (this.#ended) return;
    const { timeMs, graceMs, minBytesPerSecond } = this.#caps;
    const elapsedMs = nowMs - this.#startedMs;
    const dueBytes = (Math.max(0, elapsedMs - graceMs) / 1000) * minBytesPerSecond;
    const tooSlow = elapsedMs > timeMs || this.#bytes < dueBytes;
    if (!tooSlow) return;
    const words = `The body came too slowly: ${this.#bytes} bytes in ${Math.round(elapsedMs / 1000)} s. At least ${minBytesPerSecond} bytes per second are expected, ${timeMs / 1000} s in all.`;
    this.#finish(err(refusal('request_timeout', words)));
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    this.#chunks++;
    if (this.#bytes > this.#caps.bytes) {
      const words = `The body is larger than ${this.#caps.bytes} bytes.`;
      this.#finish(err(refusal('payload_too_large', words)));
    } else if (this.#chunks > this.#caps.chunks) {
      const words = `The body came in more than ${this.#caps.chunks} chunks. Send larger ones.`;
      this.#finish(err(refusal('too_many_chunks', words)));
    } else {
      this.#parts.push(chunk);
    }
  };

  readonly #onEnd = (): void => {
    if (this.#request.rawTrailers.length > 0) {
      this.#finish(err(refusal('malformed_http', 'Trailers are not accepted.')));
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
