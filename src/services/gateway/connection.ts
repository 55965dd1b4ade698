// One client connection: who it is, and whose turn it is. Requests that a client sends ahead wait
// for the one before them, so that one request of a connection is in service at a time and answers
// keep their order; beyond a cap nothing more is read from the socket.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Face } from '../../errors/faces.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import { refuseOnSocket } from './respond.ts';

const connectionOf = new WeakMap<Socket, Connection>();

type Turn = () => void;

export class Connection {
  readonly socket: Socket;
  readonly address: string;
  /** The request in service. */
  current: IncomingMessage | undefined;
  /** A fault of what follows the request in service: told once that one is answered. */
  poisoned: Refusal | undefined;
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
    if (this.#waiting.length >= this.#waitingMax) this.socket.pause();
  }

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

/** How long a refused connection stays half open, so that the client can read its answer. */
const lingerMs = 1000;

/** Refused connections on their way out: closing at once, with bytes unread, would lose the answer. */
export class Lingering {
  readonly #untilMs = new Map<Socket, number>();
  readonly #monotonicMs: () => number;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Answers past Node's response object and ends the connection a moment later. */
  refuse(connection: Connection, face: Face, cause: Refusal): void {
    if (connection.refused) return;
    connection.refused = true;
    const { socket } = connection;
    this.#untilMs.set(socket, this.#monotonicMs() + lingerMs);
    socket.once('close', () => this.#untilMs.delete(socket));
    refuseOnSocket(socket, face, cause);
  }

  sweep(nowMs: number): void {
    for (const [socket, untilMs] of this.#untilMs) if (nowMs >= untilMs) socket.destroy();
  }
}
