// Which key a face wants, in which header, and how the real server says that it is missing.

import type { IncomingMessage } from 'node:http';
import { faceFacts } from './face-facts.ts';
import type { ResolvedSimOptions } from './options.ts';
import type { SimRefusal } from './refusals.ts';

/** Why the request may not be answered for its credential; undefined when it may. */
export function keyRefusal(
  options: ResolvedSimOptions,
  request: IncomingMessage,
): SimRefusal | undefined {
  const header = faceFacts[options.as].keyHeader;
  if (header === undefined) return undefined;
  const wanted = options.apiKey?.reveal();
  if (header === 'authorization') return bearerRefusal(wanted, request.headers.authorization);
  const given = request.headers[header];
  const fits = typeof given === 'string' && given !== '' && given === (wanted ?? given);
  return header === 'x-api-key'
    ? anthropicRefusal(request, given, fits)
    : googleRefusal(given, fits);
}

function bearerRefusal(wanted: string | undefined, given: string | undefined) {
  if (wanted === undefined || given === `Bearer ${wanted}`) return undefined;
  return { status: 401, message: 'Invalid API Key', code: 'invalid_api_key' };
}

/** Key and version are wanted always, also where the simulated server was given no key. */
function anthropicRefusal(
  request: IncomingMessage,
  given: string | string[] | undefined,
  fits: boolean,
): SimRefusal | undefined {
  if (given === undefined) return { status: 401, message: 'x-api-key header is required' };
  if (!fits) return { status: 401, message: 'invalid x-api-key' };
  if (request.headers['anthropic-version'] === undefined) {
    return { status: 400, message: 'anthropic-version: header is required' };
  }
  return undefined;
}

/** The key in the URL, which the real service takes as well, is not taken: it leaks into logs. */
function googleRefusal(
  given: string | string[] | undefined,
  fits: boolean,
): SimRefusal | undefined {
  if (fits) return undefined;
  if (given === undefined) {
    const words =
      "Method doesn't allow unregistered callers (callers without established identity).";
    return {
      status: 403,
      message: `${words} Please use API Key or other form of API consumer identity.`,
    };
  }
  const message = 'API key not valid. Please pass a valid API key.';
  return { status: 400, message, code: 'API_KEY_INVALID' };
}
