// Everything on the port that is not the data plane goes to the control thread over its private
// Unix socket, with the peer's address in a header that only that socket believes. A client's own
// header of that name is dropped here.
//
// Bodies pass piece by piece, since the control thread judges the caller before it reads them; their
// end passes only when the whole of the body was in order. A body that is left over when the answer
// is there is read to its end and dropped, so that the connection can go on.

import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { faceOfPath } from '../../errors/faces.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { HeadFacts } from '../../protocol/http/head-check.ts';
import { peerHeader } from '../../protocol/http/peer-header.ts';
import { type BodyMeter, trailerFault } from './body-reader.ts';
import { respondRefusal } from './respond.ts';

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // Met at the edge.
  'expect',
  peerHeader,
]);

export type RelayTurn = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly facts: HeadFacts;
  /** Present when a body follows the head. */
  readonly meter: BodyMeter | undefined;
  /** Ends the connection after the answer. */
  readonly closes: boolean;
  /** The body is not in order: the caller answers and ends the connection. */
  readonly onFault: (cause: Refusal) => void;
};

export type RelayTarget = {
  readonly socketPath: string;
  readonly isTls: boolean;
  /** The client's address as rules about it see it. */
  readonly addressOf: (request: IncomingMessage) => string;
};

/** The client's headers, flat, without hop-by-hop ones, with the peer's address. */
function relayHeaders(
  request: IncomingMessage,
  target: RelayTarget,
  keepUpgrade: boolean,
): string[] {
  const flat: string[] = [];
  // HTTP/1.0 may ask for /health without one, and the way to the control thread is HTTP/1.1.
  if (request.headers.host === undefined) flat.push('host', 'localhost');
  const raw = request.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const isUpgrade = keepUpgrade && (name === 'upgrade' || name === 'connection');
    if (hopByHop.has(name) && !isUpgrade) continue;
    if (name.startsWith('x-forwarded-') || name === 'forwarded') continue;
    flat.push(name, raw[i + 1] as string);
  }
  flat.push(peerHeader, `${target.addressOf(request)} ${target.isTls ? 'https' : 'http'}`);
  return flat;
}

function responseHeaders(raw: readonly string[]): string[] {
  const flat: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (!hopByHop.has(name)) flat.push(name, raw[i + 1] as string);
  }
  return flat;
}

export class ControlRelay {
  readonly #target: RelayTarget;
  // One at most for each client connection, and those are limited: a smaller number here would let a
  // few slow senders keep everybody else from the control API.
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 16 });
  readonly #bodies = new Set<RelayedBody>();

  constructor(target: RelayTarget) {
    this.#target = target;
  }

  relay({ request, response, facts, meter, closes, onFault }: RelayTurn): void {
    const headers = relayHeaders(request, this.#target, false);
    // Without a length Node would announce chunks, and the control thread would expect a body.
    const isBodiless = meter === undefined && !/^(?:GET|HEAD)$/.test(request.method ?? '');
    if (isBodiless && facts.contentLength === undefined) headers.push('content-length', '0');
    const upstream = httpRequest({
      socketPath: this.#target.socketPath,
      agent: this.#agent,
      method: request.method ?? 'GET',
      path: facts.query === '' ? facts.path : `${facts.path}?${facts.query}`,
      headers,
      setHost: false,
    });
    const body =
      meter === undefined ? undefined : new RelayedBody(request, upstream, meter, onFault);
    upstream.on('response', (answer) => {
      const answerHeaders = responseHeaders(answer.rawHeaders);
      if (closes) answerHeaders.push('connection', 'close');
      response.writeHead(answer.statusCode ?? 502, answerHeaders);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    upstream.on('error', () => {
      if (body?.isDropped === true) return;
      if (response.headersSent) response.destroy();
      else
        respondRefusal(
          response,
          faceOfPath(facts.path),
          refusal('starting', 'The control service does not answer yet.'),
        );
    });
    if (body === undefined) {
      response.on('close', () => upstream.destroy());
      upstream.end();
      return;
    }
    this.#bodies.add(body);
    response.on('close', () => {
      this.#bodies.delete(body);
      body.drop();
    });
  }

  /** Called now and then: ends requests whose bodies come too slowly. */
  sweep(nowMs: number): void {
    for (const body of this.#bodies) body.sweep(nowMs);
  }

  /** Passes a checked WebSocket upgrade through and joins the two sockets. */
  upgrade(request: IncomingMessage, client: Duplex, head: Buffer): void {
    const upstream = httpRequest({
      socketPath: this.#target.socketPath,
      method: 'GET',
      path: request.url ?? '/',
      headers: relayHeaders(request, this.#target, true),
      setHost: false,
    });
    client.on('error', () => upstream.destroy());
    upstream.on('upgrade', (answer, socket, upstreamHead) => {
      client.write(headText(answer));
      if (upstreamHead.length > 0) client.write(upstreamHead);
      if (head.length > 0) socket.write(head);
      socket.pipe(client);
      client.pipe(socket);
      socket.on('error', () => client.destroy());
      client.on('close', () => socket.destroy());
      socket.on('close', () => client.destroy());
    });
    upstream.on('response', (answer) => {
      client.write(headText(answer));
      answer.pipe(client);
    });
    upstream.on('error', () => client.destroy());
    upstream.end();
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** One body on its way to the control thread, within its caps. */
class RelayedBody {
  readonly #request: IncomingMessage;
  readonly #upstream: ClientRequest;
  readonly #meter: BodyMeter;
  readonly #onFault: (cause: Refusal) => void;
  #isDropped = false;

  constructor(
    request: IncomingMessage,
    upstream: ClientRequest,
    meter: BodyMeter,
    onFault: (cause: Refusal) => void,
  ) {
    this.#request = request;
    this.#upstream = upstream;
    this.#meter = meter;
    this.#onFault = onFault;
    request.on('data', this.#onData);
    request.on('end', this.#onEnd);
    request.on('error', () => upstream.destroy());
    upstream.on('drain', () => request.resume());
    upstream.on('close', () => request.resume());
  }

  get isDropped(): boolean {
    return this.#isDropped;
  }

  /** The answer is out, or nobody waits for it: what is left of the body goes nowhere. */
  drop(): void {
    this.#isDropped = true;
    this.#upstream.destroy();
    this.#request.resume();
  }

  sweep(nowMs: number): void {
    if (this.#isDropped || this.#request.complete) return;
    const fault = this.#meter.late(nowMs);
    if (fault !== undefined) this.#fail(fault);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isDropped) return;
    const fault = this.#meter.add(chunk.length);
    if (fault !== undefined) this.#fail(fault);
    else if (!this.#upstream.destroyed && !this.#upstream.write(chunk)) this.#request.pause();
  };

  readonly #onEnd = (): void => {
    if (this.#isDropped) return;
    const fault = trailerFault(this.#request);
    if (fault === undefined) this.#upstream.end();
    else this.#fail(fault);
  };

  #fail(cause: Refusal): void {
    this.drop();
    this.#onFault(cause);
  }
}

function headText(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ''}`];
  const isUpgrade = answer.statusCode === 101;
  const raw = answer.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const kept = isUpgrade || !hopByHop.has(name);
    if (kept) lines.push(`${name}: ${raw[i + 1]}`);
  }
  if (!isUpgrade) lines.push('connection: close');
  return `${lines.join('\r\n')}\r\n\r\n`;
}
