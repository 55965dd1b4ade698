// The HTTP server of the control thread, on a private Unix socket: routes of all services, one
// authentication, one envelope, one OpenAPI document. Gateway threads relay to it and say who the
// peer is; nothing else can reach the socket.
//
// Deny by default: a path that no route declares answers 401 to whoever has no credential, and 404
// only to whoever has one.

import { chmodSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import fastifySwagger from '@fastify/swagger';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { present } from '../../base/assert.ts';
import { entryOf } from '../../errors/catalogue.ts';
import { errorBody, errorHeaders, faceOfPath } from '../../errors/faces.ts';
import { type Refusal, refusal, TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { ControlAnswer, ControlRoute, Principal } from '../../io/http/control-route.ts';
import { isLoopback, type Peer, parsePeer, peerHeader } from '../../protocol/http/peer-header.ts';
import { sessionCookie } from '../../protocol/http/session-cookie.ts';
import { type Authenticator, crossOriginFault } from './authenticator.ts';
import { pageHeaders, type StaticFile, type StaticFiles } from './static-files.ts';

export type ControlServerOptions = {
  readonly socketPath: string;
  readonly bodyBytesMax: number;
  readonly routes: readonly ControlRoute[];
  readonly files: StaticFiles;
  readonly authenticator: Authenticator;
  readonly build: string;
  /** A checked upgrade of `/ws`. */
  readonly onSocket: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** A failure that is ours, told once. */
  readonly onFault: (error: unknown, path: string) => void;
};

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | undefined;
    peer: Peer | undefined;
  }
}

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

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#app = fastify({
      bodyLimit: options.bodyBytesMax,
      requestIdHeader: false,
      // Framing and sizes were checked at the edge; this server hears gateway threads only.
      http: { maxHeaderSize: 65_536, requestTimeout: 120_000 },
      routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 1100 },
    });
  }

  async start(): Promise<void> {
    const app = this.#app;
    app.setValidatorCompiler(validatorCompiler);
    app.setSerializerCompiler(serializerCompiler);
    // A client that names JSON and sends nothing (a DELETE, mostly) sends no body, not a bad one.
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
      try {
        done(null, text === '' ? undefined : JSON.parse(String(text)));
      } catch (error) {
        done(error instanceof Error ? error : new SyntaxError('not JSON'), undefined);
      }
    });
    app.decorateRequest('principal', undefined);
    app.decorateRequest('peer', undefined);
    app.addHook('onRequest', (request, reply) => this.#authenticate(request, reply));
    app.setErrorHandler((error, request, reply) => this.#fail(error, request, reply));
    app.setNotFoundHandler((request, reply) => this.#notFound(request, reply));
    await app.register(fastifySwagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: 'TensorForge control API', version: this.#options.build },
        components: {
          securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
        },
        security: [{ key: [] }],
      },
      transform: jsonSchemaTransform,
    });
    for (const route of this.#options.routes) this.#register(route);
    await app.ready();
    app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.#upgrade(request, socket, head);
    });
    rmSync(this.#options.socketPath, { force: true });
    await app.listen({ path: this.#options.socketPath });
    chmodSync(this.#options.socketPath, 0o600);
  }

  /** The OpenAPI document of every route. */
  openapi(): unknown {
    return this.#app.swagger();
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
        summary: route.summary,
        tags: [route.service],
        ...(route.body === undefined ? {} : { body: route.body }),
        ...(route.query === undefined ? {} : { querystring: route.query }),
        ...(route.answer === undefined ? {} : { response: { '2xx': route.answer } }),
        ...(route.needs.kind === 'public' ? { security: [] } : {}),
      },
      // Answers are built by us to their schema, and a test holds them equal; checking each one
      // again would only cost time.
      serializerCompiler: () => (data) => JSON.stringify(data),
      handler: async (request, reply) => {
        const answer = await route.handle({
          get principal() {
            return present(request.principal, 'the principal of a route that needs one');
          },
          maybePrincipal: request.principal,
          params: request.params as Readonly<Record<string, string>>,
          query: request.query,
          body: request.body,
          peer: request.peer ?? unknownPeer,
          cookie: sessionCookie.read(request.headers.cookie, request.peer?.isTls ?? false),
        });
        return this.#answer(reply, answer);
      },
    });
  }

  #answer(reply: FastifyReply, answer: ControlAnswer): FastifyReply {
    reply.code(answer.status).headers({ 'cache-control': 'no-store', ...answer.headers });
    if (answer.body === undefined) return reply.send();
    if (answer.contentType === undefined) {
      return reply.type('application/json').send(JSON.stringify(answer.body));
    }
    return reply.type(answer.contentType).send(answer.body);
  }

  // ---- authentication ----------------------------------------------------------------------

  async #authenticate(
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> {
    const peer = parsePeer(headerText(request.headers[peerHeader]));
    request.peer = peer;
    if (peer === undefined) {
      return this.#refuse(
        request,
        reply,
        refusal('misdirected_request', 'This socket serves gateway threads only.'),
      );
    }
    const path = pathOf(request);
    const route = (request.routeOptions.config as { readonly route?: ControlRoute }).route;
    const needed = route?.needs;
    if (needed?.kind === 'public' || (route === undefined && this.#isPublicFile(request, path))) {
      const fault = crossOriginFault(request.raw, peer, false);
      return fault === undefined ? undefined : this.#refuse(request, reply, fault);
    }
    if (needed?.kind === 'loopback_or' && isLoopback(peer.address)) return undefined;
    const found = await this.#options.authenticator.authenticate(request.raw, peer, path);
    if (!found.ok) return this.#refuse(request, reply, found.error);
    request.principal = found.value;
    const permission =
      needed?.kind === 'permission' || needed?.kind === 'loopback_or'
        ? needed.permission
        : undefined;
    if (permission === undefined || found.value.permissions.has(permission)) {
      // Without a route nothing asks for the body, so it is not read either.
      return route === undefined ? this.#notFound(request, reply) : undefined;
    }
    const words = `This needs the permission ${permission}, which ${found.value.text} lacks.`;
    return this.#refuse(request, reply, refusal('permission_denied', words));
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
    if (error instanceof TensorForgeError) {
      if (error.code === 'internal_error') this.#options.onFault(error, pathOf(request));
      return this.#refuse(request, reply, error.toRefusal());
    }
    const cause = requestFault(error);
    if (cause !== undefined) return this.#refuse(request, reply, cause);
    this.#options.onFault(error, pathOf(request));
    return this.#refuse(
      request,
      reply,
      refusal('internal_error', 'A fault of TensorForge; its log has the cause.'),
    );
  }
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

type Issue = { readonly path: readonly PropertyKey[]; readonly message: string };

function issuesOf(error: unknown): readonly Issue[] | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('issues' in error && Array.isArray(error.issues)) return (error as z.ZodError).issues;
  if (!('validation' in error) || !Array.isArray(error.validation)) return undefined;
  return error.validation.map((fault: { instancePath?: string; message?: string }) => ({
    path: (fault.instancePath ?? '').split('/').filter((part) => part !== ''),
    message: fault.message ?? 'is not as expected',
  }));
}

/** What was wrong with the request, in the words of the catalogue; undefined when it is our fault. */
function requestFault(error: unknown): Refusal | undefined {
  const issues = issuesOf(error);
  if (issues !== undefined) {
    const details = issues.map(({ path, message }) => ({ param: path.join('.'), fault: message }));
    const words = details.map(({ param, fault }) => (param === '' ? fault : `${param}: ${fault}`));
    return refusal('invalid_request', words.join('; '), { details });
  }
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : '';
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return refusal('payload_too_large', 'The body is larger than the limit of this route.');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return refusal('unsupported_media_type', 'Send content-type: application/json.');
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return refusal('invalid_json', 'The body is not one JSON object.');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return refusal('malformed_http', 'The body is not as long as its Content-Length says.');
    default:
      return error instanceof SyntaxError
        ? refusal('invalid_json', 'The body is not valid JSON.')
        : undefined;
  }
}
