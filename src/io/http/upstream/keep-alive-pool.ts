// Keep-alive connections to one backend: a stack of idle ones, and a fresh one when it is empty.
//
// There is no queue and no cap on busy connections: whoever admits requests owns both. The last
// connection used serves first, so that the surplus of a burst grows old and expires. The pool has no
// clock: it knows the time of the last `sweep` and rounds so that a connection is never thought
// younger than it is.
//
// A peer may close a connection just as we send on it. Such a request is repeated once, on a fresh
// connection, when the connection had served before, not one byte of an answer came, and the failure was a
// close rather than a time-out. In theory a POST may then run twice; the repeats are counted.

import { assert } from '../../../base/assert.ts';
import type { ConnectionOwner, ConnectionUser, UpstreamConnection } from './connection.ts';
import { checkRequest } from './request-head.ts';
import {
  type FailureReason,
  failureOf,
  type UpstreamExchange,
  type UpstreamHandler,
  type UpstreamPool,
  type UpstreamRequest,
  type UpstreamStats,
} from './upstream.ts';

/** Time between two sweeps at most; a connection must not reach its deadline between them. */
export const SWEEP_INTERVAL_MS = 1000;
/** Idle time where the peer announces none: uvicorn and cpp-httplib close after 5 s, silently. */
export const DEFAULT_IDLE_MS = 5000;
/** A connection is given up this long before its peer would close it. */
export const IDLE_MARGIN_MS = 1000;
export const CONNECT_TIMEOUT_MS = 5000;

/**
 * Until when an idle connection may be used, or undefined if not at all. `nowMs` may be old by one sweep
 * interval, hence both the margin and the interval are taken off what the peer grants.
 */
export function idleDeadline(nowMs: number, announcedMs: number | undefined): number | undefined {
  const useMs = (announcedMs ?? DEFAULT_IDLE_MS) - IDLE_MARGIN_MS;
  return useMs <= 0 ? undefined : nowMs + useMs;
}

/** Opens a connection; the pool is its owner. */
export type OpenConnection = (owner: ConnectionOwner, deadlineMs: number) => UpstreamConnection;

export class KeepAlivePool implements UpstreamPool, ConnectionOwner {
  readonly #openConnection: OpenConnection;
  readonly #connectTimeoutMs: number;
  readonly #maxIdle: number;
  readonly #idle: UpstreamConnection[] = [];
  readonly #open = new Set<UpstreamConnection>();
  #nowMs = 0;
  #isClosed = false;
  #opened = 0;
  #reused = 0;
  #retriedOnFresh = 0;

  constructor(
    maxIdle: number,
    openConnection: OpenConnection,
    connectTimeoutMs: number = CONNECT_TIMEOUT_MS,
  ) {
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#maxIdle = maxIdle;
    this.#openConnection = openConnection;
  }

  get stats(): UpstreamStats {
    return {
      open: this.#open.size,
      idle: this.#idle.length,
      opened: this.#opened,
      reused: this.#reused,
      retriedOnFresh: this.#retriedOnFresh,
    };
  }

  request(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    checkRequest(request);
    const exchange = new Exchange(this, request, handler);
    if (this.#isClosed) {
      process.nextTick(() => exchange.onFailed('closed', false, false));
      return exchange;
    }
    const idle = this.#idle.pop();
    if (idle !== undefined) this.#reused++;
    exchange.sendOn(idle ?? this.#connect());
    return exchange;
  }

  /** Sends the request of `exchange` once more, on a connection that no peer can have tired of. */
  repeat(exchange: Exchange): void {
    if (this.#isClosed) {
      exchange.onFailed('closed', false, false);
      return;
    }
    this.#retriedOnFresh++;
    exchange.sendOn(this.#connect());
  }

  sweep(nowMs: number): void {
    this.#nowMs = nowMs;
    for (const connection of this.#open) {
      if (connection.isIdle) {
        if (nowMs + SWEEP_INTERVAL_MS > connection.deadlineMs) connection.destroy();
      } else if (!connection.isConnected && nowMs > connection.deadlineMs) {
        connection.fail('connect_time');
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of [...this.#idle]) connection.destroy();
  }

  onIdle(connection: UpstreamConnection, idleMs: number | undefined): boolean {
    const deadlineMs = idleDeadline(this.#nowMs, idleMs);
    if (deadlineMs === undefined || this.#isClosed || this.#idle.length >= this.#maxIdle) {
      return false;
    }
    connection.deadlineMs = deadlineMs;
    this.#idle.push(connection);
    return true;
  }

  onGone(connection: UpstreamConnection): void {
    this.#open.delete(connection);
    const index = this.#idle.lastIndexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
  }

  // The clock may lag by one sweep, so a connect gets that much longer.
  #connect(): UpstreamConnection {
    const deadlineMs = this.#nowMs + this.#connectTimeoutMs + SWEEP_INTERVAL_MS;
    const connection = this.#openConnection(this, deadlineMs);
    this.#open.add(connection);
    this.#opened++;
    return connection;
  }
}

class Exchange implements UpstreamExchange, ConnectionUser {
  #request: UpstreamRequest | undefined;
  readonly handler: UpstreamHandler;
  readonly #pool: KeepAlivePool;
  #connection: UpstreamConnection | undefined;
  #isOver = false;
  #isPaused = false;

  constructor(pool: KeepAlivePool, request: UpstreamRequest, handler: UpstreamHandler) {
    this.#pool = pool;
    this.#request = request;
    this.handler = handler;
  }

  get connected(): boolean {
    return this.#connection?.isConnected ?? false;
  }

  sendOn(connection: UpstreamConnection): void {
    assert(!this.#isOver, 'an exchange that is over sends nothing');
    assert(this.#request !== undefined, 'a request that was let go of is not sent again');
    this.#connection = connection;
    if (this.#isPaused) connection.pause();
    connection.send(this, this.#request);
  }

  abort(): void {
    this.#isOver = true;
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  forgetRequest(): void {
    this.#request = undefined;
  }

  pause(): void {
    this.#isPaused = true;
    this.#connection?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#connection?.resume();
  }

  onAnswered(): void {
    this.#isOver = true;
    this.#connection = undefined;
    this.handler.onEnd();
  }

  onFailed(reason: FailureReason, responseStarted: boolean, isRace: boolean): void {
    this.#connection = undefined;
    if (this.#isOver) return;
    // The repeat goes out on a connection that has served nobody, so it cannot lose this race again.
    if (isRace) {
      this.#pool.repeat(this);
      return;
    }
    this.#isOver = true;
    this.handler.onError(failureOf(reason, responseStarted));
  }
}
