// The HTTP edge of one gateway thread: connections, the strict head check, credentials, routes.
// Order of checks (specification 5 and design ruling 2): framing and size, path, credential,
// permission, route and method, media type, and only then the body.

import { randomUUIDv7 } from 'node:crypto';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { err, ok, type Result } from '../../base/result.ts';
import { requestClass } from '../../core/queue/request-class.ts';
import { isKnownModel } from '../../core/routing/decide.ts';
import { resolveModel } from '../../core/routing/snapshot.ts';
import { attemptKey } from '../../core/security/rules.ts';
import { entryOf } from '../../errors/catalogue.ts';
import { faceOfPath } from '../../errors/faces.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { KeyRecord, KeyVerdict } from '../../io/credentials/key-table.ts';
import {
  extractCredential,
  invalidApiKeyMessage,
} from '../../protocol/credentials/extract-credential.ts';
import { countTokens } from '../../protocol/faces/anthropic-face.ts';
import { checkJsonContent } from '../../protocol/http/content-check.ts';
import { hasBody } from '../../protocol/http/framing.ts';
import { checkHead, type HeadFacts, type HeadRules } from '../../protocol/http/head-check.ts';
import { decodePathParameter } from '../../protocol/http/path.ts';
import { type BodyCaps, BodyMeter } from './body-reader.ts';
import { ClientAddresses } from './client-address.ts';
import { Connection } from './connection.ts';
import type { GatewayContext } from './context.ts';
import { ControlRelay } from './control-relay.ts';
import { FaceExchange } from './face-exchange.ts';
import { type DataPlaneRoute, isDataPlanePath, matchDataPlane } from './http-routes.ts';
import { InferenceRequest } from './inference-request.ts';
import { LocalQuestion } from './local-question.ts';
import { mayUseModel, modelBody, modelListBody, modelNotFound } from './model-list.ts';
import { runningBody, showBody, tagsBody, versionBody } from './ollama-list.ts';
import { parserRefusal } from './parser-refusal.ts';
import type { RejectionLog } from './rejection-log.ts';
import { respondRefusal } from './respond.ts';

/** Paths whose upgrade to a WebSocket the control thread answers. */
const socketPaths: ReadonlySet<string> = new Set(['/ws']);

/** A refused body up to this length is read and dropped, so that the connection can go on. */
const drainableBytes = 65_536;

/** The one route that takes more than a request's worth of bytes, and for longer. */
const uploadPath = '/v1/files';
const uploadMs = 3_600_000;
/** Smaller chunks use up the chunks that any body may have. */
const uploadChunkBytes = 1024;

type Turn = {
  readonly connection: Connection;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly facts: HeadFacts;
  readonly receivedMs: number;
};

export class EdgeServer {
  readonly #context: GatewayContext;
  readonly #rejections: RejectionLog;
  readonly #rules: HeadRules;
  readonly #relay: ControlRelay;
  readonly #clients: ClientAddresses;
  readonly #bodyCaps: BodyCaps;
  readonly #uploadRules: HeadRules;
  readonly #uploadCaps: BodyCaps;
  readonly server: Server;

  constructor(context: GatewayContext, rejections: RejectionLog) {
    this.#context = context;
    this.#rejections = rejections;
    const { settings } = context;
    this.#rules = {
      allowedHosts: new Set(settings.allowedHosts),
      targetBytesMax: settings.limits.targetBytes,
      headBytesMax: settings.limits.headBytes,
      headLinesMax: settings.limits.headLines,
      bodyBytesMax: settings.limits.bodyBytes,
    };
    this.#clients = new ClientAddresses(settings);
    this.#relay = new ControlRelay({
      addressOf: (request) => this.#addressOf(request),
      socketPath: settings.controlSocket,
      isTls: settings.tls !== undefined || settings.behindTlsProxy,
    });
    this.#bodyCaps = {
      bytes: settings.limits.bodyBytes,
      chunks: settings.limits.bodyChunks,
      timeMs: settings.timeouts.bodyMs,
      graceMs: settings.timeouts.bodyGraceMs,
      minBytesPerSecond: settings.limits.bodyMinBytesPerSecond,
    };
    const { uploadBytes } = settings.limits;
    this.#uploadRules = { ...this.#rules, bodyBytesMax: uploadBytes };
    this.#uploadCaps = {
      ...this.#bodyCaps,
      bytes: uploadBytes,
      chunks: this.#bodyCaps.chunks + Math.ceil(uploadBytes / uploadChunkBytes),
      timeMs: uploadMs,
    };
    this.server = this.#createServer();
  }

  #createServer(): Server {
    const { settings } = this.#context;
    const options = {
      insecureHTTPParser: false,
      requireHostHeader: false,
      maxHeaderSize: settings.limits.headBytes,
      headersTimeout: settings.timeouts.headMs,
      // Bodies have a meter of their own; this holds for what that one does not see.
      requestTimeout: Math.max(settings.timeouts.bodyMs, uploadMs) + settings.timeouts.headMs,
      keepAliveTimeout: settings.timeouts.keepAliveMs,
      connectionsCheckingInterval: settings.timeouts.checkMs,
      noDelay: true,
      shouldUpgradeCallback: (request: IncomingMessage) =>
        request.headers.upgrade?.toLowerCase() === 'websocket',
    };
    const server =
      settings.tls === undefined
        ? createHttpServer(options)
        : createHttpsServer({
            ...options,
            cert: settings.tls.cert,
            key: settings.tls.key,
            ALPNProtocols: ['http/1.1'],
            minVersion: `TLSv${settings.tlsMinVersion}`,
          });
    // Node would silently forget header lines beyond its own count; ours refuses them.
    server.maxHeadersCount = 0;
    server.on(settings.tls === undefined ? 'connection' : 'secureConnection', this.#onConnection);
    server.on('request', this.#onRequest);
    server.on('checkContinue', this.#onRequest);
    server.on('checkExpectation', this.#onRequest);
    server.on('upgrade', this.#onUpgrade);
    server.on('connect', this.#onConnect);
    server.on('clientError', this.#onClientError);
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  }

  setTls(cert: string, key: string): void {
    if ('setSecureContext' in this.server) {
      (this.server as Server & { setSecureContext(context: object): void }).setSecureContext({
        cert,
        key,
        minVersion: `TLSv${this.#context.settings.tlsMinVersion}`,
      });
    }
  }

  /** Called now and then: is a body on its way to the control thread too slow? */
  sweep(nowMs: number): void {
    this.#relay.sweep(nowMs);
  }

  close(): void {
    this.server.close();
    this.server.closeIdleConnections();
    this.#relay.close();
  }

  #addressOf(request: IncomingMessage): string {
    return this.#clients.of(request.socket.remoteAddress ?? '', request.rawHeaders);
  }

  // ---- connections -------------------------------------------------------------------------

  readonly #onConnection = (socket: Socket): void => {
    const { arena, counts, settings, metrics, thread } = this.#context;
    const address = socket.remoteAddress ?? '';
    const ofAddress = counts.connectionOpened(address);
    const inAll = arena.addConnections(1, thread);
    socket.once('close', () => {
      counts.connectionClosed(address);
      arena.addConnections(-1, thread);
    });
    const isCrowded =
      ofAddress > settings.limits.connectionsPerAddress && !this.#clients.isProxy(address);
    if (isCrowded || inAll > settings.limits.connections) {
      const kind = inAll > settings.limits.connections ? 'connections' : 'connections_per_address';
      metrics.count(`tensorforge_http_refused_total{kind="${kind}"}`);
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, settings.limits.pipelined - 1, this.#onPoisonedTurn);
    const unreserved = settings.limits.connections - settings.limits.connectionsReserved;
    connection.mustAuthenticate = inAll > unreserved;
  };

  readonly #onPoisonedTurn = (connection: Connection): void => {
    const { poisoned } = connection;
    if (poisoned !== undefined) this.#context.lingering.refuseRaw(connection, poisoned);
  };

  #refuseRaw(connection: Connection, path: string, cause: Refusal, kind?: string): void {
    const face = faceOfPath(path);
    this.#context.lingering.refuseRaw(connection, { face, cause, kind });
  }

  readonly #onClientError = (
    error: NodeJS.ErrnoException & { rawPacket?: Buffer },
    raw: Duplex,
  ): void => {
    const socket = raw as Socket;
    const connection = Connection.of(socket);
    if (error.code === 'ECONNRESET' || connection === undefined || !socket.writable) {
      socket.destroy();
      return;
    }
    const { current } = connection;
    // What follows a request that closes the connection is ignored (case 101).
    if (error.code === 'HPE_CLOSED_CONNECTION' && current !== undefined) return;
    const { cause, kind } = parserRefusal(error, this.#context.settings);
    if (current?.complete === true) {
      connection.poisoned = { face: faceOfPath(targetIn(error.rawPacket)), cause, kind };
      return;
    }
    this.#refuseRaw(connection, current?.url ?? targetIn(error.rawPacket), cause, kind);
  };

  readonly #onConnect = (request: IncomingMessage, raw: Duplex): void => {
    const connection = Connection.of(raw as Socket);
    if (connection === undefined) raw.destroy();
    else {
      const cause = refusal('method_not_allowed', 'CONNECT is not offered here.');
      this.#refuseRaw(connection, request.url ?? '/', cause, 'connect');
    }
  };

  // ---- requests ----------------------------------------------------------------------------

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const connection = Connection.of(request.socket);
    if (connection === undefined) {
      request.socket.destroy();
      return;
    }
    connection.take(request, () => {
      response.once('close', connection.turnEnded);
      this.#serve(connection, request, response, this.#context.monotonicMs());
    });
  };

  #checkHead(request: IncomingMessage): ReturnType<typeof checkHead> {
    const { method = '', url: target = '/', httpVersion, rawHeaders } = request;
    const rules = target === uploadPath ? this.#uploadRules : this.#rules;
    return checkHead({ method, target, httpVersion, rawHeaders }, rules);
  }

  #serve(
    connection: Connection,
    request: IncomingMessage,
    response: ServerResponse,
    receivedMs: number,
  ): void {
    const target = request.url ?? '/';
    const checked = this.#checkHead(request);
    if (!checked.ok) {
      const { error } = checked;
      if (error.close) this.#refuseRaw(connection, target, error, error.kind);
      else {
        this.#context.metrics.count(`tensorforge_http_refused_total{kind="${error.kind}"}`);
        respondRefusal(response, faceOfPath(target), error);
      }
      return;
    }
    const facts = checked.value;
    const turn: Turn = { connection, request, response, facts, receivedMs };
    const isDataPlane =
      facts.path === '/v1' || facts.path.startsWith('/v1/') || isDataPlanePath(facts.path);
    if (isDataPlane) this.#serveDataPlane(turn);
    else this.#relayToControl(turn);
  }

  #relayToControl(turn: Turn): void {
    const { facts, request, response, connection, receivedMs } = turn;
    if (facts.expectContinue) {
      const rejected = this.#keyFault(facts);
      if (rejected !== undefined) {
        this.#reject(turn, rejected.cause, rejected.reason);
        return;
      }
      response.writeContinue();
    }
    const face = faceOfPath(facts.path);
    const onFault = (cause: Refusal): void => {
      if (response.headersSent) request.socket.destroy();
      else this.#context.lingering.refuse(connection, face, cause);
    };
    if (connection.mustAuthenticate) connection.mustAuthenticate = !this.#hasGoodKey(facts);
    const closes = connection.mustAuthenticate;
    const caps = facts.path === uploadPath ? this.#uploadCaps : this.#bodyCaps;
    const meter = hasBody(facts) ? new BodyMeter(caps, receivedMs) : undefined;
    this.#relay.relay({ request, response, facts, meter, closes, onFault });
  }

  /**
   * A caller of the control API who waits with his body hears of a bad key before he is told to send
   * it (case 98). What is no key at all is judged by the control thread, which knows public routes
   * and sessions.
   */
  #keyFault(facts: HeadFacts): { readonly cause: Refusal; readonly reason: string } | undefined {
    const credential = extractCredential(facts);
    if (!credential.ok) {
      if (credential.error.code === 'missing_api_key') return undefined;
      return { cause: credential.error, reason: rejectionReason(credential.error) };
    }
    const verdict = this.#verify(credential.value.text);
    if (verdict.ok) return undefined;
    return { cause: refusal('invalid_api_key', invalidApiKeyMessage), reason: verdict.reason };
  }

  #hasGoodKey(facts: HeadFacts): boolean {
    const credential = extractCredential(facts);
    return credential.ok && this.#verify(credential.value.text).ok;
  }

  #verify(text: string): KeyVerdict {
    return this.#context.keys.verify(text, Math.floor(this.#context.wallMs() / 1000));
  }

  #serveDataPlane(turn: Turn): void {
    const { facts, request, connection } = turn;
    if (this.#context.refusing() === 'starting') {
      this.#refuse(turn, refusal('starting', 'The process is starting.'));
      return;
    }
    const credential = extractCredential(facts);
    if (!credential.ok) {
      this.#reject(turn, credential.error, rejectionReason(credential.error));
      return;
    }
    const nowSeconds = Math.floor(this.#context.wallMs() / 1000);
    const verdict = this.#context.keys.verify(credential.value.text, nowSeconds);
    if (!verdict.ok) {
      this.#reject(turn, refusal('invalid_api_key', invalidApiKeyMessage), verdict.reason);
      return;
    }
    const key = this.#context.limits.narrowed(verdict.key);
    connection.mustAuthenticate = false;
    this.#rejections.used(key.keyId, nowSeconds);
    const refusing = this.#context.refusing();
    if (refusing !== undefined) {
      this.#refuse(turn, refusal(refusing, 'This process takes no new requests.'), { close: true });
      return;
    }
    const match = matchDataPlane(request.method ?? '', facts.path);
    if (match.kind === 'none') {
      this.#refuse(turn, refusal('not_found', `There is no ${facts.path.slice(0, 200)} here.`));
      return;
    }
    if (match.kind === 'wrong_method') {
      const words = `${request.method} is not offered here; use ${match.allow}.`;
      this.#refuse(turn, refusal('method_not_allowed', words), { headers: ['allow', match.allow] });
      return;
    }
    const { permission } = match.route;
    if (permission !== undefined && !key.permissions.includes(permission)) {
      const words = `The key lacks the permission ${permission}.`;
      this.#refuse(turn, refusal('permission_denied', words));
      return;
    }
    this.#dispatch(turn, match.route, key, connection);
  }

  #dispatch(turn: Turn, route: DataPlaneRoute, key: KeyRecord, connection: Connection): void {
    switch (route.kind) {
      case 'inference':
        this.#inference(turn, route, key, connection);
        return;
      case 'control':
        this.#relayToControl(turn);
        return;
      case 'models': {
        const distinct = /(^|&)distinct=true(&|$)/.test(turn.facts.query);
        this.#respondJson(turn, modelListBody(this.#modelQuery(key), distinct));
        return;
      }
      case 'model': {
        const id = decodePathParameter(route.id);
        const body = modelBody(this.#modelQuery(key), id);
        if (body !== undefined) this.#respondJson(turn, body);
        else this.#refuse(turn, modelNotFound(this.#context.snapshot(), key, id));
        return;
      }
      case 'ollama_tags':
        this.#respondJson(turn, tagsBody(this.#modelQuery(key)));
        return;
      case 'ollama_ps':
        this.#respondJson(turn, runningBody(this.#modelQuery(key)));
        return;
      case 'ollama_version':
        this.#respondJson(turn, versionBody(this.#context.settings.build));
        return;
      case 'ollama_show':
        this.#answerHere(turn, key, (body) => showBody(this.#modelQuery(key), body));
        return;
      case 'count_tokens':
        this.#answerHere(turn, key, (body) => this.#countTokens(key, body));
        return;
    }
  }

  /** A question with a body that needs no backend. */
  #answerHere(turn: Turn, key: KeyRecord, answer: (body: Buffer) => Result<string, Refusal>): void {
    const { facts, request, response, connection } = turn;
    if (!this.#takesBody(turn)) return;
    const face = faceOfPath(facts.path);
    const head = { request, response, connection, keyId: key.keyId, face };
    new LocalQuestion(this.#context, head, answer).start();
  }

  #countTokens(key: KeyRecord, body: Buffer): Result<string, Refusal> {
    const counted = countTokens(body, this.#context.jsonLimits);
    if (!counted.ok) return counted;
    const { model, answer } = counted.value;
    const snapshot = this.#context.snapshot();
    const isKnown = isKnownModel(snapshot, resolveModel(snapshot, model));
    return isKnown && mayUseModel(key, model)
      ? ok(answer)
      : err(modelNotFound(snapshot, key, model));
  }

  #modelQuery(key: KeyRecord) {
    return {
      snapshot: this.#context.snapshot(),
      key,
      isHealthy: (slot: number) => this.#context.arena.statusCode(slot) === 1,
      created: Math.floor(this.#context.wallMs() / 1000),
    };
  }

  #inference(
    turn: Turn,
    route: Extract<DataPlaneRoute, { kind: 'inference' }>,
    key: KeyRecord,
    connection: Connection,
  ): void {
    const { facts, request, response, receivedMs } = turn;
    if (!this.#takesBody(turn)) return;
    const inference = new InferenceRequest(this.#context, {
      request,
      response,
      connection,
      requestId: randomUUIDv7(),
      clientRequestId: facts.clientRequestId,
      traceparent: facts.traceparent,
      key,
      kind: route.request,
      enginePath: route.enginePath,
      receivedMs,
      priorityClass: this.#context.limits.classOf(
        key,
        requestClass(facts.priority, key.permissions.includes('inference:priority')),
      ),
      hints: facts,
      face: route.face === undefined ? undefined : new FaceExchange(route.face, facts.path),
      isBatch: false,
    });
    inference.start();
  }

  /** Is the body JSON, as far as its head tells? A client that waits is told to send it. */
  #takesBody(turn: Turn): boolean {
    const content = checkJsonContent(turn.facts);
    if (content !== undefined) this.#refuse(turn, content);
    else if (turn.facts.expectContinue) turn.response.writeContinue();
    return content === undefined;
  }

  #respondJson(turn: Turn, body: string): void {
    const headers = [
      'content-type',
      'application/json',
      'content-length',
      String(Buffer.byteLength(body)),
    ];
    turn.response.writeHead(200, [...headers, 'x-request-id', randomUUIDv7()]);
    turn.response.end(turn.request.method === 'HEAD' ? '' : body);
  }

  /** A bad credential: 401, or 429 once the address has had its share of them. */
  #reject(turn: Turn, cause: Refusal, reason: string): void {
    const { connection, facts, request } = turn;
    const nowSeconds = Math.floor(this.#context.wallMs() / 1000);
    const address = this.#addressOf(request);
    this.#rejections.rejected(address, facts.path, reason);
    const allowed = this.#context.settings.limits.authAttemptsPerMinute;
    const delay = this.#context.counts.rejectionDelaySeconds(
      attemptKey(address, facts.path),
      nowSeconds,
      allowed,
    );
    const close = facts.expectContinue || connection.mustAuthenticate;
    if (delay === 0) {
      this.#refuse(turn, cause, { close });
      return;
    }
    const words = `Too many rejected credentials from this address. A good key still passes.`;
    const limited = refusal('auth_attempts_exceeded', words, { retryAfterSeconds: delay });
    this.#refuse(turn, limited, { close });
  }

  #refuse(
    turn: Turn,
    cause: Refusal,
    options: { readonly headers?: readonly string[]; readonly close?: boolean } = {},
  ): void {
    const { facts, response, connection } = turn;
    const face = faceOfPath(facts.path);
    const headers = ['x-request-id', randomUUIDv7(), ...(options.headers ?? [])];
    this.#context.metrics.count(
      `tensorforge_errors_total{error_type="${cause.code}",model="other"}`,
    );
    const unread = facts.chunked || (facts.contentLength ?? 0) > drainableBytes;
    if (unread) {
      this.#context.lingering.refuseRaw(connection, { face, cause, kind: undefined, headers });
    } else {
      respondRefusal(response, face, cause, { headers, close: options.close === true });
    }
  }

  // ---- upgrades ----------------------------------------------------------------------------

  readonly #onUpgrade = (request: IncomingMessage, raw: Duplex, head: Buffer): void => {
    const socket = raw as Socket;
    const connection = Connection.of(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    const target = request.url ?? '/';
    const checked = this.#checkHead(request);
    if (!checked.ok) {
      this.#refuseRaw(connection, target, checked.error, checked.error.kind);
      return;
    }
    const { path } = checked.value;
    if (!socketPaths.has(path) || connection.current !== undefined) {
      this.#refuseRaw(connection, path, refusal('not_found', 'There is no socket here.'));
      return;
    }
    this.#relay.upgrade(request, socket, head);
  };
}

function rejectionReason(cause: Refusal): string {
  return entryOf(cause.code).status === 401 ? 'absent' : 'ambiguous';
}

/**
 * The target on the request line of what the parser could not read. Where the line came in an
 * earlier packet it is not known, and the answer has the face of the data plane.
 */
function targetIn(packet: Buffer | undefined): string {
  const line = packet?.toString('latin1', 0, Math.min(packet.length, 256)) ?? '';
  return /^[A-Za-z]+[ \t]+(\/[^\s]*)/.exec(line)?.[1] ?? '/v1';
}
