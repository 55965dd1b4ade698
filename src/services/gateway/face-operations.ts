// The operations of Anthropic's and Ollama's interfaces for the OpenAPI document, described shortly:
// their bodies belong to those interfaces, and docs/faces.md says what of them is taken.

import type { Permission } from '../../protocol/control/schemas.ts';

type Json = { readonly [member: string]: unknown };

type FaceOperation = {
  readonly face: 'anthropic' | 'ollama';
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly summary: string;
  readonly permission: Permission;
  readonly body?: Json;
  readonly answer: Json;
  /** The answer may be a stream. */
  readonly streams?: true;
};

const text = { type: 'string' } as const;
const openObject = { type: 'object', additionalProperties: true } as const;
const list = { type: 'array', items: openObject } as const;

function bodyOf(properties: Readonly<Record<string, unknown>>, required: readonly string[]) {
  return { ...openObject, properties: { model: text, ...properties }, required };
}

const asked = { method: 'post', permission: 'inference:use', answer: openObject } as const;
const told = { method: 'get', permission: 'models:read', answer: openObject } as const;
const anthropic = { ...asked, face: 'anthropic' } as const;
const ollama = { ...asked, face: 'ollama' } as const;

const conversation = ['model', 'messages'];
const stream = { type: 'boolean', default: false };
const ollamaStream = { type: 'boolean', default: true };

export const faceOperations: readonly FaceOperation[] = [
  {
    ...anthropic,
    path: '/v1/messages',
    summary: 'A message, as Anthropic’s clients ask for it, by any backend that has the model',
    body: bodyOf({ messages: list, max_tokens: { type: 'integer', minimum: 1 }, stream }, [
      ...conversation,
      'max_tokens',
    ]),
    streams: true,
  },
  {
    ...anthropic,
    path: '/v1/messages/count_tokens',
    summary: 'An estimate of the tokens of a prompt; no backend is asked',
    body: bodyOf({ messages: list }, conversation),
  },
  {
    ...ollama,
    path: '/api/chat',
    summary: 'A chat answer, as Ollama’s clients ask for it, by any backend that has the model',
    body: bodyOf({ messages: list, stream: ollamaStream }, conversation),
    streams: true,
  },
  {
    ...ollama,
    path: '/api/generate',
    summary: 'An answer to one prompt, as Ollama’s clients ask for it',
    body: bodyOf({ prompt: text, stream: ollamaStream }, ['model', 'prompt']),
    streams: true,
  },
  {
    ...ollama,
    path: '/api/embed',
    summary: 'Embeddings of texts, as Ollama’s clients ask for them',
    body: bodyOf({ input: {} }, ['model', 'input']),
  },
  {
    ...ollama,
    path: '/api/embeddings',
    summary: 'The embedding of one text, as older clients of Ollama ask for it',
    body: bodyOf({ prompt: text }, ['model', 'prompt']),
  },
  {
    ...ollama,
    path: '/api/show',
    permission: 'models:read',
    summary: 'What a model can do, as Ollama tells it',
    body: bodyOf({}, ['model']),
  },
  {
    ...told,
    face: 'ollama',
    path: '/api/tags',
    summary: 'The models that the key may use, as Ollama lists them',
  },
  {
    ...told,
    face: 'ollama',
    path: '/api/ps',
    summary: 'Those of them that are in the memory of a backend',
  },
  {
    ...told,
    face: 'ollama',
    path: '/api/version',
    summary: 'The version of the program',
  },
];
