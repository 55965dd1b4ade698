// Ollama's API as an interface of clients: chat, generate, and two forms of embeddings.

import { err, ok, type Result } from '../../base/result.ts';
import { readChatAnswer } from './chat-answer.ts';
import { ChatEvents } from './chat-events.ts';
import { type ClientBody, readClientBody } from './client-body.ts';
import type { ClientFace, FaceCall, FaceFacts, FaceStream } from './face.ts';
import { embeddingsAnswer, type LineFacts, LineWriter, wholeLine } from './ollama-answer.ts';
import {
  type OllamaRequest,
  ollamaChat,
  ollamaEmbed,
  ollamaEmbeddings,
  ollamaGenerate,
} from './ollama-request.ts';

type Form = LineFacts['form'] | 'embed' | 'embeddings';

class OllamaCall implements FaceCall {
  readonly #request: OllamaRequest;
  readonly #form: Form;
  readonly #askedModel: string;
  readonly model: string;

  constructor(request: OllamaRequest, form: Form, client: ClientBody) {
    this.#request = request;
    this.#form = form;
    this.#askedModel = client.askedModel;
    this.model = client.model;
  }

  get body(): Buffer {
    return this.#request.body;
  }

  get isStream(): boolean {
    return this.#request.isStream;
  }

  get contextTokens(): number | undefined {
    return this.#request.contextTokens;
  }

  answer(body: Buffer, facts: FaceFacts, nowMs: number): Result<Buffer, string> {
    if (this.#form === 'embed' || this.#form === 'embeddings') {
      const named = { ...facts, model: this.#askedModel };
      return embeddingsAnswer(body, named, nowMs, this.#form === 'embeddings');
    }
    const answer = readChatAnswer(body);
    return answer.ok ? ok(wholeLine(answer.value, this.#facts(facts), nowMs)) : err(answer.error);
  }

  stream(facts: FaceFacts, eventBytesMax: number): FaceStream {
    return new ChatEvents(new LineWriter(this.#facts(facts)), eventBytesMax);
  }

  #facts(facts: FaceFacts): LineFacts {
    const form = this.#form === 'generate' ? 'generate' : 'chat';
    const { wantsThoughts } = this.#request;
    return { ...facts, model: this.#askedModel, wantsThoughts, form };
  }
}

function faceOf(form: Form, translate: (client: ClientBody) => OllamaRequest): ClientFace {
  return {
    errors: 'ollama',
    streamType: 'application/x-ndjson',
    pingText: '',
    request: (body, limits, nameOf) =>
      readClientBody(body, limits, nameOf, (client) => {
        return new OllamaCall(translate(client), form, client);
      }),
  };
}

export const ollamaFaces = {
  chat: faceOf('chat', ollamaChat),
  generate: faceOf('generate', ollamaGenerate),
  embed: faceOf('embed', ollamaEmbed),
  embeddings: faceOf('embeddings', ollamaEmbeddings),
} as const;
