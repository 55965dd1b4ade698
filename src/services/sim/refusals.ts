// Why the simulated server says no. How each real server words the envelope is in error-bodies.ts.

import type { SimFace } from '../../protocol/sim/faces.ts';

export type SimRefusal = {
  readonly status: number;
  readonly message: string;
  /** The code of the OpenAI face; `reason` of Google's details. */
  readonly code?: string;
  readonly param?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export function badRequest(message: string, param?: string): SimRefusal {
  return param === undefined ? { status: 400, message } : { status: 400, message, param };
}

function unknownModelWords(face: SimFace, model: string): string {
  switch (face) {
    case 'ollama':
    case 'llamacpp':
      return `model '${model}' not found`;
    case 'anthropic':
      return `model: ${model}`;
    case 'google':
      return `models/${model} is not found for API version v1beta, or is not supported for generateContent.`;
    case 'exo':
      return `No instance found for model ${model}`;
    case 'openai':
      return `The model \`${model}\` does not exist or you do not have access to it.`;
    default:
      return `The model \`${model}\` does not exist.`;
  }
}

export function unknownModel(face: SimFace, model: string): SimRefusal {
  // A llama-server in router mode calls it a bad request.
  const status = face === 'llamacpp' ? 400 : 404;
  return {
    status,
    message: unknownModelWords(face, model),
    code: 'model_not_found',
    param: 'model',
  };
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

function queueFullWords(face: SimFace): string {
  switch (face) {
    case 'ollama':
      return 'server busy, please try again.  maximum pending requests exceeded';
    case 'anthropic':
      return 'Overloaded';
    case 'google':
      return 'The model is overloaded. Please try again later.';
    case 'tgi':
      return 'Model is overloaded';
    default:
      return 'The server is overloaded: too many requests are waiting.';
  }
}

const queueFullStatus: ReadonlyMap<SimFace, number> = new Map([
  ['anthropic', 529],
  ['tgi', 429],
]);

export function queueFull(face: SimFace): SimRefusal {
  const status = queueFullStatus.get(face) ?? 503;
  return { status, message: queueFullWords(face), code: 'server_is_overloaded' };
}

export function loading(face: SimFace): SimRefusal {
  return { status: 503, message: face === 'llamacpp' ? 'Loading model' : 'The model is loading.' };
}
