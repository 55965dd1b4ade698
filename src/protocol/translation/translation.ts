// What stands between OpenAI's chat interface, which clients speak, and a provider that speaks
// another. Pure: bytes in, bytes out; the gateway owns sockets, limits, clocks and credentials.
//
// Nothing is dropped in silence: what a provider cannot do is refused before anything is sent.

import { type ApiOperation, apiOperations, canDo } from '../../base/api-operation.ts';
import type { BackendType } from '../../base/backend-type.ts';
import type { Result } from '../../base/result.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import type { UsageReport } from '../openai/usage.ts';

export type ProviderRequest = {
  /** Path and query below the base URL; the model id is percent-encoded where it stands in it. */
  readonly path: string;
  readonly body: Buffer;
};

/** What an answer in OpenAI's form tells beside what the provider sent. */
export type AnswerFacts = {
  /** Names the answer where the provider gave it no id of its own. */
  readonly requestId: string;
  /** Unix seconds, OpenAI's `created`. */
  readonly createdSeconds: number;
  /** Did the client ask for usage in the stream? */
  readonly includeUsage: boolean;
};

/** The events of one streamed answer, in any cut of chunks. */
export interface StreamTranslator {
  /** OpenAI events, whole ones, for what has come in so far; empty when none is ready. */
  push(chunk: Buffer): Buffer;
  /** What is left at the end of the provider's stream, with `data: [DONE]` when it ended well. */
  end(): Buffer;
  /** Set when the provider's bytes made no sense or an event was too long; nothing follows. */
  readonly faultWords: string | undefined;
  /** What the provider reported, whether or not the client asked for it. */
  usage(): UsageReport;
}

export interface Translation {
  /** `body` is OpenAI's chat request, valid JSON with the resolved model in it. */
  request(body: Buffer, model: string, isStream: boolean): Result<ProviderRequest, Refusal>;
  /** The whole answer as OpenAI's `chat.completion`; words when it is no such answer. */
  answer(body: Buffer, model: string, facts: AnswerFacts): Result<Buffer, string>;
  /** The status by which OpenAI would have told it: providers have codes of their own. */
  statusOf(status: number, body: Buffer): number;
  /** A provider's error as OpenAI's envelope; its own text is kept but for what is no text. */
  error(status: number, body: Buffer): Buffer;
  stream(model: string, eventBytesMax: number, facts: AnswerFacts): StreamTranslator;
}

/** Operations that a backend of this type can be asked for; all of them where we do not translate. */
export function operationsOf(type: BackendType): readonly ApiOperation[] | undefined {
  const operations = apiOperations.filter((operation) => canDo(type, operation));
  return operations.length === apiOperations.length ? undefined : operations;
}
