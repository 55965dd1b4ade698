// The JSON of a refusal as each real server words it: envelopes differ, and gateways are tried on
// exactly that.

import type { SimFace } from '../../protocol/sim/faces.ts';
import type { SimRefusal } from './refusals.ts';

type TypeOf = (status: number) => string;

function types(known: Readonly<Record<number, string>>, other: string): TypeOf {
  return (status) => known[status] ?? other;
}

const ollamaType = types({ 400: 'invalid_request_error', 404: 'not_found_error' }, 'api_error');
const vllmType = types(
  {
    400: 'BadRequestError',
    404: 'NotFoundError',
    429: 'RateLimitError',
    503: 'ServiceUnavailableError',
  },
  'InternalServerError',
);
const llamacppType = types(
  {
    400: 'invalid_request_error',
    401: 'authentication_error',
    404: 'not_found_error',
    501: 'not_supported_error',
    503: 'unavailable_error',
  },
  'server_error',
);
const openaiType = types(
  { 429: 'requests', 500: 'server_error', 503: 'server_error' },
  'invalid_request_error',
);
/** platform.claude.com/docs/en/api/errors */
const anthropicType = types(
  {
    400: 'invalid_request_error',
    401: 'authentication_error',
    403: 'permission_error',
    404: 'not_found_error',
    405: 'invalid_request_error',
    413: 'request_too_large',
    429: 'rate_limit_error',
    529: 'overloaded_error',
  },
  'api_error',
);
/** google.rpc.Code by HTTP status: cloud.google.com/apis/design/errors */
const googleStatus = types(
  {
    400: 'INVALID_ARGUMENT',
    401: 'UNAUTHENTICATED',
    403: 'PERMISSION_DENIED',
    404: 'NOT_FOUND',
    429: 'RESOURCE_EXHAUSTED',
    503: 'UNAVAILABLE',
  },
  'INTERNAL',
);
/** `error_type` of text-generation-inference: its router's error kinds. */
const tgiType = types({ 404: 'not_found', 422: 'validation', 429: 'overloaded' }, 'generation');

function googleDetails({ code }: SimRefusal): readonly unknown[] {
  if (code !== 'API_KEY_INVALID') return [];
  const type = 'type.googleapis.com/google.rpc.ErrorInfo';
  return [{ '@type': type, reason: code, domain: 'googleapis.com' }];
}

/** The JSON body of `refusal` as `face` sends it; `path` tells native Ollama from its `/v1`. */
export function refusalBody(face: SimFace, path: string, refusal: SimRefusal): unknown {
  const { status, message } = refusal;
  const param = refusal.param ?? null;
  switch (face) {
    case 'ollama':
      if (!path.startsWith('/v1')) return { error: message };
      return { error: { message, type: ollamaType(status), param: null, code: null } };
    case 'vllm':
      if (status === 401) return { error: 'Unauthorized' };
      return { error: { message, type: vllmType(status), param, code: status } };
    case 'sglang':
      if (status === 401) return { error: 'Unauthorized' };
      return { object: 'error', message, type: vllmType(status), param, code: status };
    case 'llamacpp':
      return { error: { code: status, message, type: llamacppType(status) } };
    case 'tgi':
      return { error: message, error_type: tgiType(status) };
    case 'anthropic':
      return { type: 'error', error: { type: anthropicType(status), message }, request_id: null };
    case 'google':
      return {
        error: {
          code: status,
          message,
          status: googleStatus(status),
          details: googleDetails(refusal),
        },
      };
    case 'openai':
    case 'lmstudio':
    case 'exo':
    case 'generic':
      return { error: { message, type: openaiType(status), param, code: refusal.code ?? null } };
  }
}
