// Everything on the port that is not the data plane goes to the control thread over its private
// Unix socket, with the peer's address in a header that only that socket believes. A client's own
// header of that name is dropped here.

import {
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import type { Face } from '../../errors/faces.ts';
import { refusal } from '../../errors/tensorforge-error.ts';
import { peerHeader } from '../../protocol/http/peer-header.ts';
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
  peerHeader,
]);

export type RelayTarget = { readonly socketPath: string; readonly isTls: boolean };

/** The client's headers, flat, without hop-by-hop ones, with the peer's address. */
function relayHeaders(
  request: IncomingMessage,
  target: RelayTarget,
  keepUpgrade: boolean,
): string[] {
  const flat: string[] = [];
  const raw = request.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const isUpgrade = keepUpgrade && (name === 'upgrade' || name === 'connection');
    if (hopByHop.has(name) && !isUpgrade) continue;
    if (name.startsWith('x-forwarded-') || name === 'forwarded') continue;
    flat.push(name, raw[i + 1] as string);
  }
  flat.push(peerHeader, `${request.socket.remoteAddress ?? ''} ${target.isTls ? 'https' : 'http'}`);
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
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(target: RelayTarget) {
    this.#target = target;
  }

  relay(request: IncomingMessage, response: ServerResponse, face: Face): void {
    const upstream = httpRequest({
      socketPath: this.#target.socketPath,
      agent: this.#agent,
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: relayHeaders(request, this.#target, false),
      setHost: false,
    });
    upstream.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, responseHeaders(answer.rawHeaders));
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    upstream.on('error', () => {
      if (response.headersSent) response.destroy();
      else
        respondRefusal(
          response,
          face,
          refusal('starting', 'The control service does not answer yet.'),
        );
    });
    response.on('close', () => upstream.destroy());
    request.on('error', () => upstream.destroy());
    request.pipe(upstream);
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
