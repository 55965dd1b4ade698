// One client connection: who it is, and whose turn it is. Requests that a client sends ahead wait
// for the one before them, so that one request of a connection is in service at a time and answers
// keep their order; beyond a cap nothing more is read from the socket. What one read has brought is
// parsed all the same, so the most that can wait is the cap and what fits into one read of 64 KiB.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Face } from '../../errors/faces.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import { bodyFaultKind } from './body-reader.ts';
import { refuseOnSocket } from './respond.ts';
import type { ThreadMetrics } from './thread-metrics.ts';

const connectionOf = new WeakMap<Socket, Connection>();

type Turn = () => void;

/** A refusal on its way past Node's response object. */
export type RawRefusal = {
  readonly face: Face;
  readonly cause: Refusal;
  /** Label of `tensorforge_http_refused_total`; undefined for what is no fault of HTTP. */
  readonly kind: string | undefined;
  /** Flat, beside those of the envelope. */
  readonly headers?: readonly string[];
};

export class Connection {
  readonly socket: Socket;
  readonly address: string;
  /** The request in service. */
  current: IncomingMessage | undefined;
  /** A fault of what follows the request in service: told once that one is answered. */
  poisoned: RawRefusal | undefined;
  /** Few connections are left: one without a valid credential ends after its first answer. */
  mustAuthenticate = false;
  /** An answer was written past Node's response object; nothing else may be. */
  refused = false;
  readonly #waiting: Turn[] = [];
  readonly #waitingMax: number;
  readonly #onPoisonedTurn: (connection: Connection) => void;

  constructor(
    socket: Socket,
    waitingMax: number,
    onPoisonedTurn: (connection: Connection) => void,
  ) {
    this.socket = socket;
    this.address = socket.remoteAddress ?? '';
    this.#waitingMax = waitingMax;
    this.#onPoisonedTurn = onPoisonedTurn;
    connectionOf.set(socket, this);
    socket.on('resume', this.#holdBack);
  }

  static of(socket: Socket): Connection | undefined {
    return connectionOf.get(socket);
  }

  /** Runs `turn` now or when the requests before it are answered. */
  take(request: IncomingMessage, turn: Turn): void {
    if (this.current === undefined) {
      this.current = request;
      turn();
      return;
    }
    this.#waiting.push(() => {
      this.current = request;
      turn();
    });
    this.#holdBack();
  }

  /** Node resumes a socket by itself whenever a request on it is whole or its body is read. */
  readonly #holdBack = (): void => {
    if (this.#waiting.length >= this.#waitingMax) this.socket.pause();
  };

  /** The response of the request in service is closed. */
  readonly turnEnded = (): void => {
    this.current = undefined;
    if (this.socket.destroyed || this.refused) return;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      if (this.#waiting.length < this.#waitingMax && this.socket.isPaused()) this.socket.resume();
      next();
    } else if (this.poisoned !== undefined) {
      this.#onPoisonedTurn(this);
    }
  };
}

/**
 * How long a refused connection stays half open after the client's last byte, so that it can read its
 * answer (RFC 9112, 9.6), and how long at most, whatever the client goes on sending.
 */
const lingerMs = 1000;
const lingerMaxMs = 5000;

type Leaving = { untilMs: number; readonly endMs: number; bytesRead: number };

/** Refused connections on their way out: closing at once, with bytes unread, would lose the answer. */
export class Lingering {
  readonly #leaving = new Map<Socket, Leaving>();
  readonly #monotonicMs: () => number;
  readonly #metrics: ThreadMetrics;

  constructor(monotonicMs: () => number, metrics: ThreadMetrics) {
    this.#monotonicMs = monotonicMs;
    this.#metrics = metrics;
  }

  /**
   * Answers a request whose body is at fault or stays unread, and ends the connection. `headers`: flat,
   * beside those of the envelope.
   */
  refuse(
    connection: Connection,
    face: Face,
    cause: Refusal,
    headers: readonly string[] = [],
  ): void {
    this.refuseRaw(connection, { face, cause, kind: bodyFaultKind(cause.code), headers });
  }

  /** Answers past Node's response object and ends the connection a moment later. */
  refuseRaw(connection: Connection, refused: RawRefusal): void {
    if (connection.refused) return;
    connection.refused = true;
    const { socket } = connection;
    const nowMs = this.#monotonicMs();
    const { bytesRead } = socket;
    this.#leaving.set(socket, { untilMs: nowMs + lingerMs, endMs: nowMs + lingerMaxMs, bytesRead });
    socket.once('close', () => this.#leaving.delete(socket));
    if (refused.kind !== undefined) {
      this.#metrics.count(`tensorforge_http_refused_total{kind="${refused.kind}"}`);
    }
    refuseOnSocket(socket, refused.face, refused.cause, refused.headers);
  }

  sweep(nowMs: number): void {
    for (const [socket, leaving] of this.#leaving) {
      if (socket.bytesRead > leaving.bytesRead) {
        leaving.bytesRead = socket.bytesRead;
        leaving.untilMs = nowMs + lingerMs;
      }
      if (nowMs >= leaving.untilMs || nowMs >= leaving.endMs) socket.destroy();
    }
  }
}
