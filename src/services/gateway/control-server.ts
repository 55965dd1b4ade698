// The HTTP server of the control thread, on a private Unix socket: routes of all services, one
// authentication, one envelope, one OpenAPI document. Gateway threads relay to it and say who the
// peer is; nothing else can reach the socket.
//
// Deny by default: a path that no route declares answers 401 to whoever has no credential, and 404
// only to whoever has one.

import { chmodSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { present } from '../../base/assert.ts';
import { hasPermissions } from '../../core/security/rules.ts';
import { entryOf } from '../../errors/catalogue.ts';
import { errorBody, errorHeaders, faceOfPath } from '../../errors/faces.ts';
import { type Refusal, refusal, TensorForgeError } from '../../errors/tensorforge-error.ts';
import type {
  ControlAnswer,
  ControlRoute,
  Principal,
  ReceivedForm,
} from '../../io/http/control-route.ts';
import { databaseAwayWords } from '../../io/postgres/database-away.ts';
import { type ContentFacts, checkJsonContent } from '../../protocol/http/content-check.ts';
import { boundaryOf, checkFormContent } from '../../protocol/http/multipart.ts';
import { isLoopback, type Peer, parsePeer, peerHeader } from '../../protocol/http/peer-header.ts';
import { sessionCookie } from '../../protocol/http/session-cookie.ts';
import { apiDocument } from './api-document.ts';
import { type Authenticator, crossOriginFault } from './authenticator.ts';
import { parseControlBody, requestFault } from './request-fault.ts';
import { pageHeaders, type StaticFile, type StaticFiles } from './static-files.ts';

export type ControlServerOptions = {
  readonly socketPath: string;
  readonly bodyBytesMax: number;
  readonly routes: readonly ControlRoute[];
  readonly files: StaticFiles;
  readonly authenticator: Authenticator;
  readonly build: string;
  /** Headers that tell a caller what is left of its limits, flat. */
  readonly limitHeaders: (principal: Principal) => readonly string[];
  /** A checked upgrade of `/ws`. */
  readonly onSocket: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** The database is out of reach: told once, and again while that lasts, at most each minute. */
  readonly onStoreAway: (words: string) => void;
  /** A failure that is ours, told once. */
  readonly onFault: (error: unknown, path: string) => void;
};

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | undefined;
    peer: Peer | undefined;
  }
}

const storeAwayEveryMs = 60_000;
const strictTransport = 'max-age=31536000';
const unsafeMethods: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** What a route takes that declares no query or no body: nothing. */
const noQuery = z.strictObject({});
const noBody = z.strictObject({}).nullish();

const unknownPeer: Peer = { address: '', isTls: false };
const pageNames =
  /^\/(login|welcome|fleet|requests|routing|models|rollouts|suites|managers|gpus|checkpoints|policy|replay|audit|usage|access|settings)(\/|$)/;

/** Is this a path of the dashboard, which answers a page whoever asks? */
function isPagePath(path: string): boolean {
  return path === '/' || pageNames.test(path);
}

function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? '/').split('?')[0] ?? '/';
}

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #app: FastifyInstance;
  #toldAwayMs = Number.NEGATIVE_INFINITY;
  #document: unknown;

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#app = fastify({
      bodyLimit: options.bodyBytesMax,
      requestIdHeader: false,
      // Framing and sizes were checked at the edge; this server hears gateway threads only.
      http: { maxHeaderSize: 65_536, requestTimeout: 0 },
      routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 1100 },
    });
  }

  async start(): Promise<void> {
    const app = this.#app;
    app.setValidatorCompiler<z.ZodType>(({ schema }) => (data) => {
      const checked = schema.safeParse(data);
      return checked.success ? { value: checked.data } : { error: checked.error };
    });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
      try {
        done(null, parseControlBody(String(text)));
      } catch (error) {
        done(error instanceof Error ? error : new SyntaxError('not JSON'), undefined);
      }
    });
    // Read by the handler as it comes; routes that take none refuse it before this.
    app.addContentTypeParser('multipart/form-data', (_request, body, done) => done(null, body));
    app.decorateRequest('principal', undefined);
    app.decorateRequest('peer', undefined);
    app.addHook('onRequest', (request, reply) => this.#admit(request, reply));
    app.addHook('onSend', async (request, reply) => {
      if (request.peer?.isTls === true) reply.header('strict-transport-security', strictTransport);
    });
    app.setErrorHandler((error, request, reply) => this.#fail(error, request, reply));
    app.setNotFoundHandler((request, reply) => this.#notFound(request, reply));
    for (const route of this.#options.routes) this.#register(route);
    await app.ready();
    app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head).catch((error: unknown) => {
        refuseUpgrade(socket, this.#refusalOf(error, '/ws'));
      });
    });
    rmSync(this.#options.socketPath, { force: true });
    await app.listen({ path: this.#options.socketPath });
    chmodSync(this.#options.socketPath, 0o600);
  }

  /** The OpenAPI document of every route. */
  openapi(): unknown {
    this.#document ??= apiDocument(this.#options.routes, this.#options.build);
    return this.#document;
  }

  async close(): Promise<void> {
    this.#app.server.closeAllConnections();
    await this.#app.close();
  }

  #register(route: ControlRoute): void {
    this.#app.route({
      method: route.method,
      url: route.path,
      config: { route },
      schema: {
        ...(unsafeMethods.has(route.method) && route.takes === undefined
          ? { body: route.body ?? noBody }
          : {}),
        ...querySchemaOf(route),
      },
      handler: async (request, reply) => {
        const answer = await route.handle({
          get principal() {
            return present(request.principal, 'the principal of a route that needs one');
          },
          maybePrincipal: request.principal,
          params: request.params as Readonly<Record<string, string>>,
          query: request.query,
          body: request.body,
          ...(route.takes === undefined ? {} : { form: formOf(request) }),
          peer: request.peer ?? unknownPeer,
          cookie: sessionCookie.read(request.headers.cookie, request.peer?.isTls ?? false),
        });
        return this.#answer(request, reply, answer);
      },
    });
  }

  #answer(request: FastifyRequest, reply: FastifyReply, answer: ControlAnswer): FastifyReply {
    reply.code(answer.status).headers({ 'cache-control': 'no-store', ...answer.headers });
    if (answer.body === undefined) return reply.send();
    if (answer.contentType === undefined) {
      return reply.type('application/json').send(JSON.stringify(answer.body));
    }
    reply.type(answer.contentType);
    if (!isPieces(answer.body)) return reply.send(answer.body);
    const pieces = Readable.from(answer.body);
    // The status is out by then: the connection breaks off, and only the log can say why.
    pieces.on('error', (error) => this.#options.onFault(error, pathOf(request)));
    return reply.send(pieces);
  }

  // ---- authentication ----------------------------------------------------------------------

  async #admit(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const peer = parsePeer(headerText(request.headers[peerHeader]));
    request.peer = peer;
    if (peer === undefined) {
      const words = 'This socket serves gateway threads only.';
      return this.#refuse(request, reply, refusal('misdirected_request', words));
    }
    const { route } = request.routeOptions.config as { readonly route?: ControlRoute };
    const fault = await this.#authenticate(request, reply, peer, route);
    if (fault !== undefined) return this.#refuse(request, reply, fault);
    // Without a route nothing asks for the body, so it is not read either.
    if (route === undefined) return this.#notFound(request, reply);
    const content = route.takes === undefined ? contentFault(request) : formFault(request);
    return content === undefined ? undefined : this.#refuse(request, reply, content);
  }

  /** Why the caller may not go on; sets the principal of one who may. */
  async #authenticate(
    request: FastifyRequest,
    reply: FastifyReply,
    peer: Peer,
    route: ControlRoute | undefined,
  ): Promise<Refusal | undefined> {
    const path = pathOf(request);
    const needed = route?.needs;
    const isPublic =
      needed?.kind === 'public' || (route === undefined && this.#isPublicFile(request, path));
    // A preflight brings no credential, so its origin is judged without one.
    if (isPublic || request.method === 'OPTIONS') {
      const fault = crossOriginFault(request.raw, peer, false);
      if (fault !== undefined || isPublic) return fault;
    }
    if (needed?.kind === 'loopback_or' && isLoopback(peer.address)) return undefined;
    const found = await this.#options.authenticator.authenticate(request.raw, peer, path);
    if (!found.ok) {
      if (isDeadSession(request, peer, found.error)) {
        reply.header('set-cookie', sessionCookie.clear(peer.isTls));
      }
      return found.error;
    }
    request.principal = found.value;
    const limits = this.#options.limitHeaders(found.value);
    for (let at = 0; at + 1 < limits.length; at += 2) {
      reply.header(limits[at] ?? '', limits[at + 1]);
    }
    const permission =
      needed?.kind === 'permission' || needed?.kind === 'loopback_or'
        ? needed.permission
        : undefined;
    const required = permission === undefined ? [] : [permission];
    if (hasPermissions(required, found.value.permissions)) return undefined;
    const words = `This needs the permission ${permission}, which ${found.value.text} lacks.`;
    return refusal('permission_denied', words);
  }

  #isPublicFile(request: FastifyRequest, path: string): boolean {
    const { files } = this.#options;
    return request.method === 'GET' && (isPagePath(path) || files.asset(path) !== undefined);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    const peer = parsePeer(headerText(request.headers[peerHeader]));
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const fault = crossOriginFault(request, peer, true);
    const found = fault ?? (await this.#options.authenticator.authenticate(request, peer, path));
    if ('code' in found) refuseUpgrade(socket, found);
    else if (!found.ok) refuseUpgrade(socket, found.error);
    else if (!found.value.permissions.has('telemetry:read')) {
      refuseUpgrade(
        socket,
        refusal('permission_denied', 'This needs the permission telemetry:read.'),
      );
    } else if (request.headers['sec-websocket-version'] !== '13') {
      refuseUpgrade(socket, refusal('upgrade_required', 'The WebSocket version must be 13.'));
    } else this.#options.onSocket(request, socket, head);
  }

  // ---- answers -----------------------------------------------------------------------------

  #refuse(request: FastifyRequest, reply: FastifyReply, cause: Refusal): FastifyReply {
    const face = faceOfPath(pathOf(request));
    for (const [name, value] of errorHeaders(face, cause)) reply.header(name, value);
    reply.header('cache-control', 'no-store');
    return reply.code(entryOf(cause.code).status).send(errorBody(face, cause));
  }

  #notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const path = pathOf(request);
    if (request.method === 'GET') {
      const asset = this.#options.files.asset(path);
      if (asset !== undefined) return sendFile(request, reply, asset);
      const page = isPagePath(path) ? this.#options.files.page() : undefined;
      if (page !== undefined) return sendFile(request, reply.headers(pageHeaders), page);
    }
    const allowed = this.#methodsOf(path);
    if (allowed.length > 0) {
      reply.header('allow', allowed.join(', '));
      const words = `${request.method} is not offered here; use ${allowed.join(' or ')}.`;
      return this.#refuse(request, reply, refusal('method_not_allowed', words));
    }
    return this.#refuse(
      request,
      reply,
      refusal('not_found', `There is no ${path.slice(0, 200)} here.`),
    );
  }

  #methodsOf(path: string): string[] {
    const methods = ['GET', 'POST', 'PUT', 'DELETE'] as const;
    return methods.filter((method) => {
      const found = this.#app.findRoute({ method, url: path });
      return found !== null && found !== undefined
        ? true
        : this.#options.routes.some(
            (route) => route.method === method && matches(route.path, path),
          );
    });
  }

  #fail(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    // What is left of the body is read and dropped: closing here would take the answer back from a
    // caller who is still sending.
    reply.removeHeader('connection');
    return this.#refuse(request, reply, this.#refusalOf(error, pathOf(request)));
  }

  #refusalOf(error: unknown, path: string): Refusal {
    if (error instanceof TensorForgeError) {
      if (error.code === 'internal_error') this.#options.onFault(error, path);
      return error.toRefusal();
    }
    const cause = requestFault(error);
    if (cause !== undefined) return cause;
    const away = databaseAwayWords(error);
    if (away !== undefined) {
      this.#tellAway(away);
      return refusal('retry', away);
    }
    this.#options.onFault(error, path);
    return refusal('internal_error', 'A fault of TensorForge; its log has the cause.');
  }

  #tellAway(words: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldAwayMs < storeAwayEveryMs) return;
    this.#toldAwayMs = nowMs;
    this.#options.onStoreAway(words);
  }
}

/** A query is checked where it is ours to define: probes and scrapers may add to other paths. */
function querySchemaOf(route: ControlRoute): { readonly querystring?: z.ZodType } {
  const schema = route.query ?? (route.path.startsWith('/api/v1/') ? noQuery : undefined);
  return schema === undefined ? {} : { querystring: schema };
}

/** Is the credential that was refused the dashboard's cookie, which is of no use any more? */
function isDeadSession(request: FastifyRequest, peer: Peer, cause: Refusal): boolean {
  const { cookie, authorization } = request.headers;
  return (
    (cause.code === 'invalid_api_key' || cause.code === 'auth_attempts_exceeded') &&
    authorization === undefined &&
    request.headers['x-api-key'] === undefined &&
    sessionCookie.read(cookie, peer.isTls) !== undefined
  );
}

/** The fault of a body that is not JSON; a request without one may name any type, or none. */
function contentFault(request: FastifyRequest): Refusal | undefined {
  if (!unsafeMethods.has(request.method)) return undefined;
  const { headers } = request.raw;
  const length = headers['content-length'];
  if (headers['transfer-encoding'] === undefined && (length === undefined || length === '0')) {
    // The type of nothing is not looked at.
    headers['content-type'] = undefined;
    return undefined;
  }
  return checkJsonContent(contentFacts(request));
}

function contentFacts({ raw }: FastifyRequest): ContentFacts {
  const isType = (name: string, at: number) =>
    at % 2 === 0 && name.toLowerCase() === 'content-type';
  return {
    contentType: raw.headers['content-type'],
    contentTypeCount: raw.rawHeaders.filter(isType).length,
    contentEncoding: raw.headers['content-encoding'],
  };
}

/** The fault of a body that is no form. */
function formFault(request: FastifyRequest): Refusal | undefined {
  const boundary = checkFormContent(contentFacts(request));
  return boundary.ok ? undefined : boundary.error;
}

function formOf({ raw }: FastifyRequest): ReceivedForm {
  const { 'content-type': type, 'content-length': length } = raw.headers;
  return {
    boundary: present(boundaryOf(type), 'the boundary of a form, which was checked'),
    body: raw,
    length: length === undefined ? undefined : Number(length),
  };
}

function isPieces(body: unknown): body is AsyncIterable<string> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

function headerText(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Does a declared path with `:parameters` match? */
function matches(pattern: string, path: string): boolean {
  const expected = pattern.split('/');
  const given = path.split('/');
  return (
    expected.length === given.length &&
    expected.every((part, i) => part.startsWith(':') || part === given[i])
  );
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: StaticFile): FastifyReply {
  reply.type(file.contentType);
  reply.header('x-content-type-options', 'nosniff');
  reply.header('vary', 'accept-encoding');
  reply.header(
    'cache-control',
    file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
  );
  const accepts = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  if (file.gzip !== undefined && accepts) {
    return reply.header('content-encoding', 'gzip').send(file.gzip);
  }
  return reply.send(file.body);
}

function refuseUpgrade(socket: Duplex, cause: Refusal): void {
  const { status } = entryOf(cause.code);
  const body = errorBody('control', cause);
  const head = [`HTTP/1.1 ${status} Refused`];
  for (const [name, value] of errorHeaders('control', cause)) head.push(`${name}: ${value}`);
  head.push(`content-length: ${Buffer.byteLength(body)}`, 'connection: close', '', '');
  socket.end(head.join('\r\n') + body);
}
