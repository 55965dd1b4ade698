// Anthropic's Messages API as an interface of clients: `POST /v1/messages`, and the counting of tokens,
// which no engine is asked for.

import { err, ok, type Result } from '../../base/result.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import type { JsonLimits } from '../openai/json-scan.ts';
import { readRequestBody } from '../openai/request-body.ts';
import { type MessageFacts, MessageWriter, pingText, wholeMessage } from './anthropic-message.ts';
import { type MessagesRequest, messagesRequest } from './anthropic-request.ts';
import { readChatAnswer } from './chat-answer.ts';
import { ChatEvents } from './chat-events.ts';
import { readClientBody, sameName } from './client-body.ts';
import type { ClientFace, FaceCall, FaceFacts, FaceStream } from './face.ts';

class MessagesCall implements FaceCall {
  readonly #request: MessagesRequest;
  readonly model: string;
  readonly contextTokens = undefined;

  constructor(request: MessagesRequest, model: string) {
    this.#request = request;
    this.model = model;
  }

  get body(): Buffer {
    return this.#request.body;
  }

  get isStream(): boolean {
    return this.#request.isStream;
  }

  answer(body: Buffer, facts: FaceFacts): Result<Buffer, string> {
    const answer = readChatAnswer(body);
    return answer.ok ? ok(wholeMessage(answer.value, this.#facts(facts))) : err(answer.error);
  }

  stream(facts: FaceFacts, eventBytesMax: number): FaceStream {
    return new ChatEvents(new MessageWriter(this.#facts(facts)), eventBytesMax);
  }

  #facts(facts: FaceFacts): MessageFacts {
    const { stopSequences, wantsThoughts } = this.#request;
    return { ...facts, model: this.model, stopSequences, wantsThoughts };
  }
}

export const anthropicMessages: ClientFace = {
  errors: 'anthropic',
  streamType: 'text/event-stream; charset=utf-8',
  pingText,
  request: (body, limits) =>
    readClientBody(body, limits, sameName, (client) => {
      return new MessagesCall(messagesRequest(client, false), client.model);
    }),
};

type CountedTokens = { readonly model: string; readonly answer: string };

/**
 * The answer of `POST /v1/messages/count_tokens`: our own estimate of the prompt and the schemas of
 * its tools, within 25 % for ordinary text. Refuses what a request for an answer would be refused for.
 */
export function countTokens(body: Buffer, limits: JsonLimits): Result<CountedTokens, Refusal> {
  const made = readClientBody(body, limits, sameName, (client) => messagesRequest(client, true));
  if (!made.ok) return made;
  const features = readRequestBody('chat', made.value.body, limits);
  if (!features.ok) return features;
  const { model, estimatedTokens } = features.value;
  return ok({ model, answer: JSON.stringify({ input_tokens: estimatedTokens }) });
}
