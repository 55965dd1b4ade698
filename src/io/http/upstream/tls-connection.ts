// One keep-alive connection to an https backend: an undici client that holds a single socket.
//
// TLS backends are few and distant, so a kept library serves them. Its parser checks the bytes; what it
// lets through is checked here by the same rules as for plain connections (`readAnswer`). A client per
// connection rather than its own pool, because that pool queues out of sight and does not tell which
// socket serves, while we must know whether a connection had served before.

import { createRequire } from 'node:module';
import type { LookupFunction } from 'node:net';
import type { buildConnector, Client, Dispatcher } from 'undici';
import type { ConnectionOwner, ConnectionUser, UpstreamConnection } from './connection.ts';
import { readAnswer } from './response-head.ts';
import {
  errorCode,
  type FailureReason,
  isNameError,
  type ResolvedLimits,
  type UpstreamRequest,
} from './upstream.ts';

const require = createRequire(import.meta.url);

/** Loaded with the first https backend: most fleets have none, and each thread would hold it. */
function library(): typeof import('undici') {
  return require('undici');
}

export type TlsTarget = {
  readonly origin: string;
  readonly limits: ResolvedLimits;
  /** Shared by all connections of a pool, so that they share TLS sessions. */
  readonly connector: buildConnector.connector;
};

/**
 * Verifies certificates against `ca` (PEM), or the usual authorities, and offers HTTP/1.1 only.
 * `lookup` resolves and judges a host that is a name.
 */
export function tlsConnector(
  ca: string | undefined,
  lookup: LookupFunction,
  connectTimeoutMs: number,
): buildConnector.connector {
  return library().buildConnector({
    allowH2: false,
    rejectUnauthorized: true,
    lookup,
    timeout: connectTimeoutMs,
    ...(ca === undefined ? {} : { ca }),
  });
}

export class TlsConnection implements UpstreamConnection, Dispatcher.DispatchHandler {
  deadlineMs: number;
  readonly #owner: ConnectionOwner;
  readonly #limits: ResolvedLimits;
  readonly #client: Client;
  #user: ConnectionUser | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #isGone = false;
  #isPaused = false;
  #requests = 0;
  #started = false;
  #headSeen = false;
  #keepAlive = false;
  #idleMs: number | undefined;
  #interim = 0;
  #bodyBytes = 0;
  #bodyBytesMax = 0;

  constructor(target: TlsTarget, owner: ConnectionOwner, deadlineMs: number) {
    this.deadlineMs = deadlineMs;
    this.#owner = owner;
    this.#limits = target.limits;
    this.#client = new (library().Client)(target.origin, {
      allowH2: false,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: target.limits.headBytesMax,
      connect: target.connector,
    });
    this.#client.on('disconnect', () => {
      if (this.#user === undefined) this.destroy();
    });
  }

  get isConnected(): boolean {
    return this.#controller !== undefined;
  }

  get isIdle(): boolean {
    return this.#user === undefined && !this.#isGone;
  }

  send(user: ConnectionUser, request: UpstreamRequest): void {
    this.#user = user;
    this.#requests++;
    this.#controller = undefined;
    this.#started = false;
    this.#headSeen = false;
    this.#interim = 0;
    this.#bodyBytes = 0;
    const { method, path, headers, body } = request;
    this.#client.dispatch({ method, path, headers: [...headers], body: body ?? null }, this);
  }

  pause(): void {
    this.#isPaused = true;
    this.#controller?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#controller?.resume();
  }

  destroy(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#user = undefined;
    this.#controller?.abort(new Error('the exchange was ended by its owner'));
    this.#client.destroy(null, () => {});
    this.#owner.onGone(this);
  }

  fail(reason: FailureReason): void {
    const user = this.#user;
    const isRace = reason === 'reset' && this.#requests > 1;
    this.destroy();
    user?.onFailed(reason, this.#started, isRace);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isPaused) controller.pause();
  }

  /** Called by undici with the first byte of each head. */
  onResponseStarted(): void {
    this.#started = true;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const user = this.#user;
    if (user === undefined) return;
    if (status === 101) {
      this.fail('upgrade');
      return;
    }
    if (status < 200) {
      this.#interim++;
      if (this.#interim > this.#limits.interimAnswersMax) this.fail('interim');
      return;
    }
    // undici keeps the version to itself; what HTTP/1.0 may not do, its parser has judged.
    const head = status > 599 ? 'head' : readAnswer(status, true, fieldsOf(controller.rawHeaders));
    if (typeof head === 'string') {
      this.fail(head);
      return;
    }
    this.#bodyBytesMax = head.isEventStream ? Number.MAX_SAFE_INTEGER : this.#limits.bodyBytesMax;
    if (head.framing === 'length' && head.length > this.#bodyBytesMax) {
      this.fail('body_size');
      return;
    }
    this.#headSeen = true;
    this.#keepAlive = head.keepAlive;
    this.#idleMs = head.idleMs;
    user.handler.onHead(head.status, head.headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > this.#bodyBytesMax) {
      this.fail('body_size');
      return;
    }
    this.#user?.handler.onData(chunk);
  }

  // What follows the answer in the same read is parsed after this call; one turn of the event loop later
  // a surplus has ended the connection, and only then may it serve again.
  onResponseEnd(): void {
    const user = this.#user;
    if (user === undefined) return;
    this.#user = undefined;
    this.#controller = undefined;
    this.#isPaused = false;
    if (this.#keepAlive) setImmediate(() => this.#becomeIdle());
    else this.destroy();
    user.onAnswered();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#user !== undefined) this.fail(this.#reasonOf(error));
  }

  #becomeIdle(): void {
    if (this.#isGone) return;
    if (!this.#owner.onIdle(this, this.#idleMs)) this.destroy();
  }

  #reasonOf(error: Error): FailureReason {
    if (this.#controller === undefined) return reasonBeforeRequest(error);
    switch (errorCode(error)) {
      case 'UND_ERR_HEADERS_OVERFLOW':
        return 'head_size';
      case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
        return this.#headSeen ? 'short' : 'framing';
      case 'UND_ERR_SOCKET':
        if (error.message === 'bad upgrade') return 'upgrade';
        if (error.message === 'bad response') return 'head';
        return this.#started ? 'short' : 'reset';
      case 'ECONNRESET':
      case 'EPIPE':
        return this.#started ? 'short' : 'reset';
      default:
        return this.#headSeen ? 'chunk' : 'head';
    }
  }
}

const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'UND_ERR_SOCKET',
]);

function reasonBeforeRequest(error: Error): FailureReason {
  if (isNameError(error)) return 'dns';
  const code = errorCode(error);
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'connect_time';
  return code !== undefined && NO_CONNECTION.has(code) ? 'connect' : 'tls';
}

function fieldsOf(raw: Dispatcher.DispatchController['rawHeaders']): readonly string[] {
  if (!Array.isArray(raw)) return [];
  return raw.map((part, index) => {
    const text = typeof part === 'string' ? part : part.toString('latin1');
    return index % 2 === 0 ? text.toLowerCase() : text.trim();
  });
}
