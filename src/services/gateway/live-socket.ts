// The live socket of the dashboard: `/ws`, server to client only. Snapshots first, then what changed.
//
//   client                 control thread                    gateway threads
//     | -- upgrade ----------> |  -- watch, flush ------------> |  keep what ends from here on,
//     | <-- snapshots -------- |                                |  write down what has ended
//     |                        |  <------------- flushed -----  |
//     | <-- Resync ----------- |
//     | -- reads the lists --> |                                .
//
// L1  No request that ends is missed: the messages to a thread keep their order, so what ended before
//     the thread was watched is in the lists that the client reads upon `Resync`, and what ends later
//     is sent. A request may be in both, never in neither.
// L2  A slow reader is dropped rather than buffered without bound; its next attachment is whole again.
//     Of a burst the newest are sent (`gateway-part.ts`); the log has the others.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { LiveUpdate } from '../../protocol/control/schemas.ts';

const clientsMax = 1000;
const bufferedBytesMax = 1_048_576;
/** A message is split rather than sent longer than this. */
export const messageBytesMax = 10_240;

/** What a client hears when it attaches. */
export type Greeting = {
  /** Sent at once. */
  readonly snapshots: () => readonly LiveUpdate[];
  /** Has all that ends from now on be sent; resolves when what ended before can be read. */
  readonly caughtUp: () => Promise<void>;
};

export class LiveSocket {
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: 1024,
    perMessageDeflate: false,
    clientTracking: true,
  });

  /** Completes the handshake of a request whose credential and origin are checked. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, greeting: Greeting): void {
    if (this.#server.clients.size >= clientsMax) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => client.terminate());
      for (const update of greeting.snapshots()) this.#send(client, update);
      void greeting.caughtUp().then(() => this.#send(client, { update_type: 'Resync', data: {} }));
    });
  }

  get hasClients(): boolean {
    return this.#server.clients.size > 0;
  }

  broadcast(update: LiveUpdate): void {
    for (const client of this.#server.clients) this.#send(client, update);
  }

  #send(client: WebSocket, update: LiveUpdate): void {
    if (client.readyState !== client.OPEN) return;
    if (client.bufferedAmount > bufferedBytesMax) {
      client.close(1013, 'too slow');
      return;
    }
    for (const part of split(update)) client.send(JSON.stringify(part));
  }

  /** Ends the sockets; `why` 1001 when the server stops. */
  close(): void {
    for (const client of this.#server.clients) client.close(1001, 'the server stops');
    this.#server.close();
  }
}

/** Decisions are sent a few at a time; other updates are bounded by what they describe. */
function split(update: LiveUpdate): LiveUpdate[] {
  if (update.update_type !== 'RequestComplete') return [update];
  const parts: LiveUpdate[] = [];
  let decisions: (typeof update.data.decisions)[number][] = [];
  let bytes = 0;
  for (const decision of update.data.decisions) {
    const size = JSON.stringify(decision).length;
    if (decisions.length > 0 && bytes + size > messageBytesMax) {
      parts.push({ update_type: 'RequestComplete', data: { decisions } });
      decisions = [];
      bytes = 0;
    }
    decisions.push(decision);
    bytes += size;
  }
  parts.push({ update_type: 'RequestComplete', data: { decisions } });
  return parts;
}
