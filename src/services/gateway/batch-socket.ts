// Where lines of OpenAI batches come in: a Unix socket of each gateway thread that only the control
// thread of this process speaks to. A line says by whose key it is asked and brings no credential; no
// other socket believes that header. From there on it is a request like any other: admission, routing,
// limits, usage and the decision log. So a batch can do what its key can do at that moment, and no more.
//
// A second door was preferred to the front one with a secret: it needs no TLS, no allowed host and no
// connection of the client limits, and nobody outside can even try it.

import { randomUUIDv7 } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { KeyRecord } from '../../io/credentials/key-table.ts';
import { checkHead, defaultHeadRules, type HeadFacts } from '../../protocol/http/head-check.ts';
import { lineBytesMax } from '../../protocol/openai/batch-line.ts';
import { Connection } from './connection.ts';
import type { GatewayContext } from './context.ts';
import { matchDataPlane } from './http-routes.ts';
import { InferenceRequest } from './inference-request.ts';
import { respondRefusal } from './respond.ts';

/** Names the key that ordered the batch. */
export const batchKeyHeader = 'x-tensorforge-batch-key';

/** Beside the control socket, whose folder only the owner may enter. */
export function batchSocketPath(controlSocket: string, thread: number): string {
  return join(dirname(controlSocket), `b${thread}.sock`);
}

const rules = {
  ...defaultHeadRules,
  allowedHosts: new Set(['localhost']),
  bodyBytesMax: lineBytesMax,
};

export class BatchSocket {
  readonly #context: GatewayContext;
  readonly #server: Server;

  constructor(context: GatewayContext) {
    this.#context = context;
    this.#server = createServer({ requestTimeout: 0, noDelay: true });
    this.#server.on('connection', (socket: Socket) => {
      new Connection(socket, 1, () => socket.destroy());
    });
    this.#server.on('request', this.#onRequest);
  }

  listen(onError: (error: Error) => void): void {
    const path = batchSocketPath(this.#context.settings.controlSocket, this.#context.thread);
    // Of a thread that died, or of a process that was killed.
    rmSync(path, { force: true });
    this.#server.on('error', onError);
    this.#server.listen(path, () => chmodSync(path, 0o600));
  }

  close(): void {
    this.#server.close();
    this.#server.closeIdleConnections();
  }

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const connection = Connection.of(request.socket);
    if (connection === undefined) {
      request.socket.destroy();
      return;
    }
    connection.take(request, () => {
      response.once('close', connection.turnEnded);
      const started = this.#start(connection, request, response);
      if (!started.ok) respondRefusal(response, 'openai', started.error, { close: true });
    });
  };

  #start(
    connection: Connection,
    request: IncomingMessage,
    response: ServerResponse,
  ): Result<void, Refusal> {
    const { method = '', url: target = '/', httpVersion, rawHeaders } = request;
    const checked = checkHead({ method, target, httpVersion, rawHeaders }, rules);
    if (!checked.ok) return checked;
    const facts = checked.value;
    const refusing = this.#context.refusing();
    if (refusing !== undefined) return err(refusal(refusing, 'No line of a batch is taken now.'));
    const match = matchDataPlane(method, facts.path);
    if (match.kind !== 'found' || match.route.kind !== 'inference') {
      return err(refusal('not_found', 'Lines of batches go to endpoints of inference.'));
    }
    const key = this.#keyOf(request);
    if (!key.ok) return key;
    const { request: kind, enginePath } = match.route;
    this.#infer({ connection, request, response }, facts, { kind, enginePath, key: key.value });
    return ok(undefined);
  }

  /** The key as it is now: it may have lost what it had when it ordered the batch. */
  #keyOf(request: IncomingMessage): Result<KeyRecord, Refusal> {
    const nowSeconds = Math.floor(this.#context.wallMs() / 1000);
    const key = this.#context.keys.find(String(request.headers[batchKeyHeader]), nowSeconds);
    if (key === undefined) return err(refusal('invalid_api_key', 'The key of the batch is gone.'));
    for (const permission of ['inference:use', 'inference:batch']) {
      if (!key.permissions.includes(permission)) {
        const words = `The key lacks the permission ${permission}.`;
        return err(refusal('permission_denied', words));
      }
    }
    return ok(this.#context.limits.narrowed(key));
  }

  #infer(
    turn: {
      readonly connection: Connection;
      readonly request: IncomingMessage;
      readonly response: ServerResponse;
    },
    facts: HeadFacts,
    asked: Pick<ConstructorParameters<typeof InferenceRequest>[1], 'kind' | 'enginePath' | 'key'>,
  ): void {
    const inference = new InferenceRequest(this.#context, {
      ...turn,
      ...asked,
      requestId: randomUUIDv7(),
      clientRequestId: facts.clientRequestId,
      traceparent: undefined,
      receivedMs: this.#context.monotonicMs(),
      priorityClass: 1,
      hints: facts,
      face: undefined,
      isBatch: true,
    });
    inference.start();
  }
}
