// What stands between a client that speaks another interface than OpenAI's and the pipeline, which
// knows OpenAI's only. It is the mirror of `translation/`, where a backend speaks another one; both
// together let a client of Anthropic's reach a backend of Anthropic's.
//
//   client's body ─► request ─► OpenAI's body ─► pipeline ─► OpenAI's answer ─► answer or stream ─► client
//
// Pure: bytes in, bytes out; the gateway owns sockets, limits, clocks and credentials. Nothing is
// dropped in silence: what OpenAI's interface cannot say is refused by name, unless its loss changes
// no answer. Arguments of tools keep every character on both ways.

import type { Result } from '../../base/result.ts';
import type { Face } from '../../errors/faces.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import type { JsonLimits } from '../openai/json-scan.ts';

/** What an answer tells beside what the backend sent. */
export type FaceFacts = {
  readonly requestId: string;
  /** Our own estimate, told where the backend has not counted yet or never does. */
  readonly promptTokens: number;
  /** Unix ms at which the request came. */
  readonly startedMs: number;
};

/** One streamed answer: OpenAI's events in any cut of chunks become the client's. */
export interface FaceStream {
  /** What is ready now, whole events only; empty when nothing is. `nowMs` is unix ms. */
  push(chunk: Buffer, nowMs: number): Buffer;
  /** The backend ended its stream in order. */
  end(nowMs: number): Buffer;
  /** The words of a failure as the end of the stream; empty when the stream has ended already. */
  fail(cause: Refusal): Buffer;
  /** Set when the backend's events made no sense; nothing follows but `fail`. */
  readonly faultWords: string | undefined;
}

/** One request, read and checked. */
export interface FaceCall {
  /** OpenAI's body. */
  readonly body: Buffer;
  /** The model as it is known here; the answer names it as the client did. */
  readonly model: string;
  readonly isStream: boolean;
  /** Tokens of context that the client wants the engine to have; undefined when it does not say. */
  readonly contextTokens: number | undefined;
  /** A whole answer of OpenAI's; words when it cannot be told in the client's interface. */
  answer(body: Buffer, facts: FaceFacts, nowMs: number): Result<Buffer, string>;
  stream(facts: FaceFacts, eventBytesMax: number): FaceStream;
}

export interface ClientFace {
  /** How its errors look. */
  readonly errors: Face;
  /** The content type of a stream. */
  readonly streamType: string;
  /** Says within a stream that the request still waits; empty where the interface has no word for it. */
  readonly pingText: string;
  /**
   * Refuses as `readRequestBody` does, and with `unsupported_parameter` by name. `nameOf` gives the name
   * by which a model is known here.
   */
  request(
    body: Buffer,
    limits: JsonLimits,
    nameOf: (model: string) => string,
  ): Result<FaceCall, Refusal>;
}
