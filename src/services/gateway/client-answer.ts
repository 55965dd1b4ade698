// The client's side of one request: what has gone out to it, in the words of its interface, and what
// may still go out.
//
//   nothing yet --ping--> opened --+
//        |                         +--first byte of the answer--> committed --> the end, or a cut
//        +-------------------------+
//
// C1  Before anything went out every ending is possible; once a stream is open, what goes wrong is told
//     within it: one error event and the end, never a clean-looking cut.
// C2  Everything before the face of the client sees OpenAI's interface (face-exchange.ts).
// C3  A client that does not take what was written holds its backend up, not our memory.

import type { ServerResponse } from 'node:http';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import { doneEvent, errorEvent } from '../../protocol/openai/sse.ts';
import type { AdmittedHead } from './admission.ts';
import type { GatewayContext } from './context.ts';
import {
  type AnswerFacts,
  addOwnHeaders,
  answerPassThrough,
  answerRefusal,
  jsonContentType,
} from './inference-answer.ts';
import type { PassThrough } from './upstream-failure.ts';

/** Whose answer it is. */
export interface AnswerOwner {
  /** What its head says beside the answer. */
  facts(): AnswerFacts;
  /** The client does not take what was written to it. */
  onBlocked(): void;
  /** It has taken all of it. */
  onDrained(): void;
}

/** What a face is told of the answer that begins. */
export type AnswerBeginning = {
  readonly promptTokens: number;
  /** Unix ms at which the request came. */
  readonly startedMs: number;
};

/** A client that reads slowly gets its time for each of these. */
const readerStepBytes = 65_536;
const pingComment = ': ping\n\n';

export const noStream = 'The backend answered without the stream that it was asked for.';

export class ClientAnswer {
  readonly #context: GatewayContext;
  readonly #head: AdmittedHead;
  readonly #response: ServerResponse;
  readonly #owner: AnswerOwner;
  #isOpened = false;
  #isCommitted = false;
  #isStream = false;
  #isBlocked = false;

  constructor(context: GatewayContext, head: AdmittedHead, owner: AnswerOwner) {
    this.#context = context;
    this.#head = head;
    this.#response = head.response;
    this.#owner = owner;
  }

  /** Has the first byte of an answer gone out? Then no other backend can answer. */
  get isCommitted(): boolean {
    return this.#isCommitted;
  }

  /** Did the head of a stream go out while the request waited, before there was anything to say? */
  get isOpened(): boolean {
    return this.#isOpened;
  }

  /** Bytes that the client has not taken yet, in steps; one when there are none. */
  get readerSteps(): number {
    return 1 + Math.floor(this.#response.writableLength / readerStepBytes);
  }

  /** The client, and whoever is at work for it, has had enough time. */
  destroy(): void {
    this.#response.destroy();
  }

  /** Says that the request waits, where the interface has a word for it. */
  ping(): void {
    const { face } = this.#head;
    const text = face === undefined ? pingComment : face.pingText;
    if (text === '' || this.#response.destroyed) return;
    if (!this.#isOpened) this.#writeStreamHead('text/event-stream');
    this.#isOpened = true;
    this.#response.write(text);
  }

  // ---- streams -----------------------------------------------------------------------------

  /** The first content is there. Words when this client cannot be answered so. */
  beginStream(contentType: string, beginning: AnswerBeginning): string | undefined {
    const fault = this.#beginFace(true, beginning);
    if (fault !== undefined) return fault;
    this.#isCommitted = true;
    this.#isStream = true;
    if (!this.#isOpened) this.#writeStreamHead(contentType);
    return undefined;
  }

  /** Whole events of OpenAI's interface. Words when they cannot be told in the client's. */
  events(bytes: Buffer): string | undefined {
    const { face } = this.#head;
    if (face === undefined) {
      this.#write(bytes);
      return undefined;
    }
    return this.#writeTold(face.push(bytes, this.#context.wallMs()));
  }

  /** The stream has ended in order. Words when it has not for the client. */
  endStream(): string | undefined {
    const { face } = this.#head;
    const fault =
      face === undefined ? undefined : this.#writeTold(face.end(this.#context.wallMs()));
    if (fault === undefined) this.#response.end();
    return fault;
  }

  #writeTold(bytes: Buffer): string | undefined {
    if (bytes.length > 0) this.#write(bytes);
    return this.#head.face?.faultWords;
  }

  #writeStreamHead(contentType: string): void {
    const { face, requestId } = this.#head;
    const headers = ['cache-control', 'no-cache', 'x-accel-buffering', 'no'];
    if (face === undefined) headers.push('content-type', contentType);
    else headers.push(...face.headersOf(true, requestId));
    this.#response.writeHead(200, addOwnHeaders(headers, this.#owner.facts()));
  }

  // ---- whole answers -----------------------------------------------------------------------

  /** Bytes of a whole answer that is passed on as it comes. Words when a stream was promised. */
  body(status: number, contentType: string, bytes: Buffer): string | undefined {
    if (this.#isOpened) return noStream;
    if (!this.#isCommitted) {
      this.#writeBodyHead(status, ['content-type', jsonContentType(contentType)]);
    }
    this.#write(bytes);
    return undefined;
  }

  endBody(): void {
    this.#response.end();
  }

  /** A whole answer, a character a byte. Words when this client cannot be answered so. */
  whole(
    status: number,
    contentType: string,
    text: string,
    beginning: AnswerBeginning,
  ): string | undefined {
    if (this.#isOpened) return noStream;
    const { face, requestId } = this.#head;
    if (face === undefined) {
      const length = String(text.length);
      const type = jsonContentType(contentType);
      this.#writeBodyHead(status, ['content-type', type, 'content-length', length]);
      this.#response.end(text, 'latin1');
      return undefined;
    }
    const fault = this.#beginFace(false, beginning);
    if (fault !== undefined) return fault;
    const told = face.answer(text, this.#context.wallMs());
    if (!told.ok) return told.error;
    const length = String(told.value.length);
    this.#writeBodyHead(status, [...face.headersOf(false, requestId), 'content-length', length]);
    this.#response.end(told.value);
    return undefined;
  }

  #writeBodyHead(status: number, headers: string[]): void {
    this.#isCommitted = true;
    this.#response.writeHead(status, addOwnHeaders(headers, this.#owner.facts()));
  }

  #beginFace(isStream: boolean, { promptTokens, startedMs }: AnswerBeginning): string | undefined {
    const { face, requestId } = this.#head;
    if (face === undefined) return undefined;
    const { eventBytes } = this.#context.settings.limits.upstream;
    face.begin(isStream, { requestId, promptTokens, startedMs }, eventBytes);
    return face.faultWords;
  }

  // ---- failures ----------------------------------------------------------------------------

  /**
   * A refusal of ours; the status the client sees is that of its code. With `closes`, the body stays
   * unread and the connection ends with the answer.
   */
  refuse(cause: Refusal, closes: boolean): void {
    if (this.#isOpened || this.#isCommitted) {
      this.cut(cause, false);
      return;
    }
    const errors = this.#head.face?.errors ?? 'openai';
    const facts = this.#owner.facts();
    if (!closes) answerRefusal(this.#response, cause, facts, errors);
    else this.#context.lingering.refuse(this.#head.connection, errors, cause, facts.limits);
  }

  /** A backend's own refusal, in the envelope of the client; only before anything went out. */
  passThrough(answer: PassThrough): void {
    const { face } = this.#head;
    const told =
      face === undefined
        ? answer
        : {
            ...answer,
            contentType: 'application/json',
            body: face.passedError(answer.status, answer.body),
          };
    answerPassThrough(this.#response, told, this.#owner.facts());
  }

  /** The first byte is out. `isTold`: the backend has told of its failure within the stream. */
  cut(cause: Refusal, isTold: boolean): void {
    if (!this.#isStream && !this.#isOpened) {
      this.#response.destroy();
      return;
    }
    this.#response.end(this.#head.face?.fail(cause) ?? (isTold ? doneEvent : errorEvent(cause)));
    this.#context.metrics.count('tensorforge_streams_cut_total');
  }

  #write(chunk: Buffer): void {
    if (this.#response.destroyed) return;
    if (this.#response.write(chunk) || this.#isBlocked) return;
    this.#isBlocked = true;
    this.#owner.onBlocked();
    this.#response.once('drain', this.#onDrain);
  }

  readonly #onDrain = (): void => {
    this.#isBlocked = false;
    this.#owner.onDrained();
  };
}
