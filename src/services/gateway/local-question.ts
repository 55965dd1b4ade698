// A question with a body that no backend is asked for: the count of a prompt's tokens, the facts of a
// model. The body is read under the same caps as any other; the answer is ready when it is whole.

import { randomUUIDv7 } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Result } from '../../base/result.ts';
import type { Face } from '../../errors/faces.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import { BodyReader } from './body-reader.ts';
import type { Connection } from './connection.ts';
import type { ActiveRequest, GatewayContext } from './context.ts';
import { respondRefusal } from './respond.ts';

type LocalQuestionHead = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: Connection;
  readonly keyId: string;
  readonly face: Face;
};

export class LocalQuestion implements ActiveRequest {
  listIndex = -1;
  readonly #context: GatewayContext;
  readonly #head: LocalQuestionHead;
  readonly #answer: (body: Buffer) => Result<string, Refusal>;
  #reader: BodyReader | undefined;

  constructor(
    context: GatewayContext,
    head: LocalQuestionHead,
    answer: (body: Buffer) => Result<string, Refusal>,
  ) {
    this.#context = context;
    this.#head = head;
    this.#answer = answer;
  }

  get keyId(): string {
    return this.#head.keyId;
  }

  get isAnswered(): boolean {
    return this.#reader === undefined;
  }

  start(): void {
    const { limits, timeouts } = this.#context.settings;
    this.#context.active.add(this);
    this.#head.response.on('close', this.#onClosed);
    const caps = {
      bytes: limits.bodyBytes,
      chunks: limits.bodyChunks,
      timeMs: timeouts.bodyMs,
      graceMs: timeouts.bodyGraceMs,
      minBytesPerSecond: limits.bodyMinBytesPerSecond,
    };
    const nowMs = this.#context.monotonicMs();
    this.#reader = new BodyReader(this.#head.request, caps, nowMs, (result) => {
      this.#reader = undefined;
      if (result.ok) this.#respond(this.#answer(result.value));
      else this.#refuseUnread(result.error);
    });
  }

  sweep(nowMs: number): void {
    this.#reader?.sweep(nowMs);
  }

  end(cause: Refusal): void {
    if (this.#reader === undefined) return;
    this.#stopReading();
    this.#refuseUnread(cause);
  }

  readonly #onClosed = (): void => {
    this.#context.active.delete(this);
    this.#stopReading();
  };

  #stopReading(): void {
    this.#reader?.stop();
    this.#reader = undefined;
  }

  #refuseUnread(cause: Refusal): void {
    this.#context.lingering.refuse(this.#head.connection, this.#head.face, cause);
  }

  #respond(answer: Result<string, Refusal>): void {
    const { response, face } = this.#head;
    const headers = ['x-request-id', randomUUIDv7()];
    if (!answer.ok) {
      respondRefusal(response, face, answer.error, { headers });
      return;
    }
    const length = String(Buffer.byteLength(answer.value));
    headers.push('content-type', 'application/json', 'content-length', length);
    response.writeHead(200, headers);
    response.end(answer.value);
  }
}
