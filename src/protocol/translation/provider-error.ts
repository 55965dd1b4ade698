// A provider's error in OpenAI's envelope. Anthropic writes {type: 'error', error: {type, message}},
// Google {error: {code, status, message, details}} or an array of one of those.
//   https://docs.anthropic.com/en/api/errors
//   https://ai.google.dev/gemini-api/docs/troubleshooting

import { isObject, type JsonObject } from '../openai/member-check.ts';
import { boundedValue, objectMember, objectsMember, textMember } from './json-text.ts';

/** More of a provider's own text is cut. */
const messageCharactersMax = 4096;

function errorIn(body: Buffer): JsonObject | undefined {
  const value = boundedValue(body);
  const whole: unknown = Array.isArray(value) ? value[0] : value;
  return isObject(whole) ? objectMember(whole, 'error') : undefined;
}

type Family = { readonly type: string; readonly code: string };

function familyOf(status: number): Family {
  if (status === 404) return { type: 'invalid_request_error', code: 'not_found' };
  if (status === 413) return { type: 'invalid_request_error', code: 'payload_too_large' };
  if (status === 429) return { type: 'requests', code: 'rate_limit_exceeded' };
  if (status < 500) return { type: 'invalid_request_error', code: 'invalid_request_error' };
  return { type: 'server_error', code: 'bad_gateway' };
}

/** The envelope of a parsed error. */
export function errorEnvelope(status: number, error: JsonObject | undefined): Buffer {
  const { type, code } = familyOf(status);
  const message = textMember(error ?? {}, 'message') ?? `The backend answered ${status}.`;
  const name = textMember(error ?? {}, 'type') ?? textMember(error ?? {}, 'status');
  const envelope = {
    message: message.slice(0, messageCharactersMax),
    type,
    param: null,
    code,
    ...(name === undefined ? {} : { context: { provider_error: name.slice(0, 128) } }),
  };
  return Buffer.from(JSON.stringify({ error: envelope }));
}

/** The envelope of an error answer; the status in words when the body is no error of a provider. */
export function providerError(status: number, body: Buffer): Buffer {
  return errorEnvelope(status, errorIn(body));
}

/** Does Google say that our key is at fault? It answers 400 then, and quotes no more than that. */
export function namesBadKey(body: Buffer): boolean {
  const details = objectsMember(errorIn(body) ?? {}, 'details');
  return details.some((detail) => detail['reason'] === 'API_KEY_INVALID');
}
