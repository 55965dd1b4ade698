// One request and its answer. All bytes of an answer go through here, so that every face breaks in
// the same ways when a fault says so, and the books see each first byte, end and abort.

import type { ServerResponse } from 'node:http';
import type { SimFace } from '../../protocol/sim/faces.ts';
import type { SimFault } from '../../protocol/sim/schemas.ts';
import { refusalBody } from './error-bodies.ts';
import type { SimRefusal } from './refusals.ts';
import type { TrafficEntry } from './traffic.ts';

/** Content chunks that go out before `cut_stream` cuts, unless it says another number. */
const cutAfterChunks = 3;

export class Exchange {
  readonly face: SimFace;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly fault: SimFault | undefined;
  readonly #response: ServerResponse;
  /** Undefined for what is not inference. */
  readonly #entry: TrafficEntry | undefined;
  #over = false;
  #chunks = 0;
  #onAbort: () => void = () => {};

  /** `target` is path and query as they were asked for. */
  constructor(
    face: SimFace,
    target: string,
    response: ServerResponse,
    fault: SimFault | undefined,
    entry: TrafficEntry | undefined,
  ) {
    this.face = face;
    const [path = '/', query] = target.split('?', 2);
    this.path = path;
    this.query = new URLSearchParams(query);
    this.fault = fault;
    this.#response = response;
    this.#entry = entry;
    response.once('close', () => {
      if (this.#over) return;
      this.#over = true;
      this.#entry?.ended('aborted');
      this.#onAbort();
    });
  }

  /** Answered, cut or aborted: nothing more can be sent. */
  get over(): boolean {
    return this.#over;
  }

  /** `then` runs when the answer can no longer be delivered: client gone, or cut by a fault. */
  onAbort(then: () => void): void {
    this.#onAbort = then;
  }

  refuse(refusal: SimRefusal): void {
    if (this.#over) return;
    const body = JSON.stringify(refusalBody(this.face, this.path, refusal));
    this.#whole(refusal.status, body, { 'content-type': jsonType, ...refusal.headers });
    this.#entry?.ended('refused');
  }

  json(body: unknown, status = 200): void {
    this.#answer(status, JSON.stringify(body), jsonType);
  }

  text(body: string, contentType: string): void {
    this.#answer(200, body, contentType);
  }

  /** Sends a piece of a stream that carries content; the head goes with the first of them. */
  chunk(text: string, contentType: string): void {
    if (this.#over) return;
    this.#streamHead(contentType);
    if (this.fault?.kind === 'invalid_json') {
      this.#entry?.streamStarted();
      this.#fail(() => this.#response.end(`${text.slice(0, text.length / 2)}\n\n`));
      return;
    }
    const cutAt =
      this.fault?.kind === 'cut_stream' ? (this.fault.after_chunks ?? cutAfterChunks) : Infinity;
    if (cutAt === 0) {
      this.#response.flushHeaders();
      this.#fail(() => this.#response.socket?.destroySoon());
      return;
    }
    this.#entry?.streamStarted();
    if (++this.#chunks < cutAt) this.#response.write(text);
    else this.#fail(() => this.#response.write(text, () => this.#response.socket?.destroySoon()));
  }

  /** The last piece of a stream, which may be its only one. */
  endStream(text: string, contentType: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#streamHead(contentType);
    this.#response.end(text);
    this.#entry?.ended('finished');
  }

  /** Answers as the fault says: the request ends `faulted`. */
  faultAnswer(refusal: SimRefusal): void {
    const body = JSON.stringify(refusalBody(this.face, this.path, refusal));
    this.#fail(() =>
      this.#whole(refusal.status, body, { 'content-type': jsonType, ...refusal.headers }),
    );
  }

  /** RST instead of an answer. */
  reset(): void {
    this.#fail(() => this.#response.socket?.resetAndDestroy());
  }

  /** A head that no HTTP client may accept: two framings, and a line without a colon. */
  badHeaders(): void {
    this.#fail(() => {
      const head = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n';
      this.#response.socket?.end(`${head}this line has no colon\r\n\r\n5\r\nhello\r\n0\r\n\r\n`);
    });
  }

  #streamHead(contentType: string): void {
    if (this.#response.headersSent) return;
    this.#response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-cache' });
  }

  #answer(status: number, body: string, contentType: string): void {
    if (this.#over) return;
    if (this.fault?.kind === 'invalid_json') {
      const half = body.slice(0, body.length / 2);
      this.#fail(() => this.#whole(status, half, { 'content-type': contentType }));
      return;
    }
    if (this.fault?.kind === 'cut_stream') {
      this.#fail(() => {
        const bytes = Buffer.from(body);
        this.#response.writeHead(status, {
          'content-type': contentType,
          'content-length': bytes.length,
        });
        this.#response.write(bytes.subarray(0, bytes.length / 2));
        this.#response.socket?.destroySoon();
      });
      return;
    }
    this.#whole(status, body, { 'content-type': contentType });
    this.#entry?.ended('finished');
  }

  #whole(status: number, body: string, headers: Readonly<Record<string, string>>): void {
    this.#over = true;
    const bytes = Buffer.from(body);
    this.#response.writeHead(status, { ...headers, 'content-length': bytes.length });
    this.#response.end(bytes);
  }

  #fail(break_: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#entry?.ended('faulted');
    break_();
    this.#onAbort();
  }
}

const jsonType = 'application/json';
