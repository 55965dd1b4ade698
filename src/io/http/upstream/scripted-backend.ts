// A backend for tests that answers with exactly the bytes it is told to, on a real socket, and a
// handler that records what came of an exchange.

import { once } from 'node:events';
import net from 'node:net';
import type {
  UpstreamFailure,
  UpstreamHandler,
  UpstreamPool,
  UpstreamRequest,
} from './upstream.ts';

export type Received = {
  readonly socket: net.Socket;
  /** Head and body as received, latin1. */
  readonly text: string;
  /** Counted from 0 over the life of the backend. */
  readonly connection: number;
  /** Counted from 0 on its connection. */
  readonly turn: number;
};

export type ScriptedBackend = {
  readonly url: string;
  readonly received: readonly Received[];
  readonly sockets: readonly net.Socket[];
  close(): Promise<void>;
};

/** Calls `answer` for every complete request. With `wholeRequests: false`, as soon as the head is there. */
export async function startBackend(
  answer: (request: Received) => void,
  options: { readonly wholeRequests?: boolean; readonly host?: string } = {},
): Promise<ScriptedBackend> {
  const received: Received[] = [];
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    const connection = sockets.push(socket) - 1;
    let turn = 0;
    let pending = '';
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      pending += bytes.toString('latin1');
      for (;;) {
        const size = requestSize(pending, options.wholeRequests ?? true);
        if (size === undefined) return;
        const request = { socket, text: pending.slice(0, size), connection, turn: turn++ };
        pending = pending.slice(size);
        received.push(request);
        answer(request);
      }
    });
  });
  server.listen(0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function requestSize(text: string, isWhole: boolean): number | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  if (!isWhole) return text.startsWith('POST') || text.startsWith('GET') ? text.length : undefined;
  const length = Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0);
  const size = headEnd + 4 + length;
  return text.length >= size ? size : undefined;
}

/** Writes `bytes` so that each piece is a segment of its own. */
export function writePieces(socket: net.Socket, pieces: readonly Buffer[], closes: boolean): void {
  const [first, ...rest] = pieces;
  if (socket.destroyed) return;
  if (first === undefined) {
    if (closes) socket.end();
    return;
  }
  socket.write(first, () => setImmediate(() => writePieces(socket, rest, closes)));
}

export const GET: UpstreamRequest = {
  method: 'GET',
  path: '/v1/models',
  headers: ['accept', 'application/json'],
  body: undefined,
};

export function post(body: Buffer): UpstreamRequest {
  const headers = ['content-type', 'application/json'];
  return { method: 'POST', path: '/v1/chat/completions', headers, body };
}

export class RecordingHandler implements UpstreamHandler {
  status: number | undefined;
  headers: readonly string[] = [];
  body = '';
  bodyBytes = 0;
  /** Every call in order: `head`, `data`, `end` or `error`, equal neighbours once. */
  readonly calls: string[] = [];
  readonly over: Promise<UpstreamFailure | undefined>;
  /** Called after each piece of body. */
  onPiece: ((handler: RecordingHandler) => void) | undefined;
  readonly #settle: (failure: UpstreamFailure | undefined) => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<UpstreamFailure | undefined>();
    this.over = promise;
    this.#settle = resolve;
  }

  onHead(status: number, headers: readonly string[]): void {
    this.#note('head');
    this.status = status;
    this.headers = headers;
  }

  onData(chunk: Buffer): void {
    if (this.calls.at(-1) !== 'data') this.#note('data');
    this.bodyBytes += chunk.length;
    if (this.body.length < 1024) this.body += chunk.toString('latin1');
    this.onPiece?.(this);
  }

  onEnd(): void {
    this.#note('end');
    this.#settle(undefined);
  }

  onError(failure: UpstreamFailure): void {
    this.#note('error');
    this.#settle(failure);
  }

  #note(call: string): void {
    this.calls.push(call);
  }
}

/** Waits until `condition` holds, looking once per turn of the event loop; throws after a minute. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new Error(`waited too long: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Sends `request` and waits for the end of its answer. */
export async function exchange(
  pool: UpstreamPool,
  request: UpstreamRequest = GET,
): Promise<{ handler: RecordingHandler; failure: UpstreamFailure | undefined }> {
  const handler = new RecordingHandler();
  pool.request(request, handler);
  const failure = await handler.over;
  return { handler, failure };
}

/** Sends a request from within the end of another, and waits for both. */
export async function exchangeWithCanary(pool: UpstreamPool) {
  const first = new RecordingHandler();
  const canary = new RecordingHandler();
  const settle = first.onEnd.bind(first);
  first.onEnd = () => {
    pool.request(GET, canary);
    settle();
  };
  pool.request(GET, first);
  await Promise.all([first.over, canary.over]);
  return { first, canary };
}
