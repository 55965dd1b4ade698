// Why the simulated server says no, and how each real server words it: the envelope differs, and
// gateways are tried on exactly that.

import type { SimFace } from './options.ts';

export type SimRefusal = {
  readonly status: number;
  readonly message: string;
  /** The code of the OpenAI face. */
  readonly code?: string;
  readonly param?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export function badRequest(message: string, param?: string): SimRefusal {
  return param === undefined ? { status: 400, message } : { status: 400, message, param };
}

export function unknownModel(face: SimFace, model: string): SimRefusal {
  const message =
    face === 'ollama'
      ? `model '${model}' not found`
      : `The model \`${model}\` does not exist${face === 'openai' ? ' or you do not have access to it' : ''}.`;
  return { status: 404, message, code: 'model_not_found', param: 'model' };
}

export function tooLong(promptTokens: number, outputTokens: number, max: number): SimRefusal {
  return {
    status: 400,
    message:
      `This model's maximum context length is ${max} tokens. However, you requested ` +
      `${promptTokens + outputTokens} tokens (${promptTokens} in the messages, ` +
      `${outputTokens} in the completion).`,
    code: 'context_length_exceeded',
    param: 'messages',
  };
}

export function queueFull(face: SimFace): SimRefusal {
  const message =
    face === 'ollama'
      ? 'server busy, please try again.  maximum pending requests exceeded'
      : 'The server is overloaded: too many requests are waiting.';
  return { status: 503, message, code: 'server_is_overloaded' };
}

export function loading(face: SimFace): SimRefusal {
  return { status: 503, message: face === 'llamacpp' ? 'Loading model' : 'The model is loading.' };
}

/** The JSON body of `refusal` as `face` sends it; `path` tells native Ollama from its `/v1`. */
export function refusalBody(face: SimFace, path: string, refusal: SimRefusal): unknown {
  const { status, message } = refusal;
  switch (face) {
    case 'ollama':
      if (!path.startsWith('/v1')) return { error: message };
      return {
        error: { message, type: ollamaTypes.get(status) ?? 'api_error', param: null, code: null },
      };
    case 'vllm':
      if (status === 401) return { error: 'Unauthorized' };
      return {
        error: {
          message,
          type: vllmTypes.get(status) ?? 'InternalServerError',
          param: refusal.param ?? null,
          code: status,
        },
      };
    case 'llamacpp':
      return {
        error: { code: status, message, type: llamacppTypes.get(status) ?? 'server_error' },
      };
    case 'openai':
      return {
        error: {
          message,
          type: openaiTypes.get(status) ?? 'invalid_request_error',
          param: refusal.param ?? null,
          code: refusal.code ?? null,
        },
      };
  }
}

const ollamaTypes: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [404, 'not_found_error'],
]);
const vllmTypes: ReadonlyMap<number, string> = new Map([
  [400, 'BadRequestError'],
  [404, 'NotFoundError'],
  [429, 'RateLimitError'],
  [503, 'ServiceUnavailableError'],
]);
const llamacppTypes: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [404, 'not_found_error'],
  [503, 'unavailable_error'],
]);
const openaiTypes: ReadonlyMap<number, string> = new Map([
  [429, 'requests'],
  [500, 'server_error'],
  [503, 'server_error'],
]);
