// How an error looks on each face. The face is chosen by path alone, for every failure
// (specification 3.1), so that one SDK can read all of /v1 and one client all of /api.

import { type CatalogueEntry, entryOf } from './catalogue.ts';
import type { Refusal } from './tensorforge-error.ts';

export type Face = 'openai' | 'anthropic' | 'ollama' | 'control';

/** The paths of Ollama's interface; nothing else below `/api` is one of it. */
const ollamaPaths: ReadonlySet<string> = new Set([
  '/api/chat',
  '/api/generate',
  '/api/embed',
  '/api/embeddings',
  '/api/show',
  '/api/tags',
  '/api/ps',
  '/api/version',
]);

/**
 * `/v1/messages` and everything under it speaks Anthropic, the rest of `/v1` OpenAI, eight exact paths
 * Ollama; all the rest speaks the control envelope. A query may follow the path.
 */
export function faceOfPath(path: string): Face {
  if (path.startsWith('/v1/messages') && /^(?:[/?]|$)/.test(path.slice(12))) return 'anthropic';
  if (path === '/v1' || path.startsWith('/v1/') || path.startsWith('/v1?')) return 'openai';
  const query = path.indexOf('?');
  return ollamaPaths.has(query < 0 ? path : path.slice(0, query)) ? 'ollama' : 'control';
}

/** Seconds for `retry-after`, or undefined when repeating is pointless. */
export function retryAfterSeconds(refusal: Refusal): number | undefined {
  const entry: CatalogueEntry = entryOf(refusal.code);
  if (!entry.retryable) return undefined;
  const { retryAfterMs: ms } = refusal;
  const told = ms === undefined ? refusal.retryAfterSeconds : ms / 1000;
  const seconds = told ?? entry.retryAfterSeconds;
  return seconds === undefined ? undefined : Math.max(1, Math.ceil(seconds));
}

function openAiBody(refusal: Refusal): unknown {
  const entry: CatalogueEntry = entryOf(refusal.code);
  const isFamily = entry.openaiCode === 'conflict' || entry.openaiCode === 'service_unavailable';
  const context = isFamily ? { reason: refusal.code, ...refusal.context } : refusal.context;
  return {
    error: {
      message: refusal.message,
      type: refusal.limit ?? entry.type,
      param: refusal.param ?? null,
      code: entry.openaiCode ?? refusal.code,
      ...(context === undefined ? {} : { context }),
    },
  };
}

function controlBody(refusal: Refusal): unknown {
  const entry: CatalogueEntry = entryOf(refusal.code);
  const code = entry.status === 401 ? (entry.openaiCode ?? refusal.code) : refusal.code;
  return {
    msg: refusal.message,
    code,
    ...(refusal.details === undefined ? {} : { details: refusal.details }),
  };
}

/** Anthropic's name for an error of this HTTP status; what it has no name for is the caller's fault. */
export function anthropicErrorType(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error';
    case 403:
      return 'permission_error';
    case 404:
      return 'not_found_error';
    case 413:
      return 'request_too_large';
    case 429:
      return 'rate_limit_error';
    case 503:
      return 'overloaded_error';
    default:
      return status < 500 ? 'invalid_request_error' : 'api_error';
  }
}

function bodyOf(face: Face, refusal: Refusal): unknown {
  switch (face) {
    case 'openai':
      return openAiBody(refusal);
    case 'anthropic': {
      const type = anthropicErrorType(entryOf(refusal.code).status);
      return { type: 'error', error: { type, message: refusal.message } };
    }
    case 'ollama':
      return { error: refusal.message };
    case 'control':
      return controlBody(refusal);
  }
}

/** The JSON text of the body on this face. */
export function errorBody(face: Face, refusal: Refusal): string {
  return JSON.stringify(bodyOf(face, refusal));
}

/** The headers that an error carries on any face, lower-case names. */
export function errorHeaders(face: Face, refusal: Refusal): [string, string][] {
  const entry: CatalogueEntry = entryOf(refusal.code);
  const headers: [string, string][] = [['content-type', 'application/json']];
  const seconds = retryAfterSeconds(refusal);
  if (seconds !== undefined) headers.push(['retry-after', String(seconds)]);
  if (seconds !== undefined && refusal.retryAfterMs !== undefined) {
    headers.push(['retry-after-ms', String(Math.max(1, Math.ceil(refusal.retryAfterMs)))]);
  }
  if (entry.status === 401) headers.push(['www-authenticate', 'Bearer']);
  if (face === 'openai' || face === 'anthropic')
    headers.push(['x-should-retry', entry.retryable ? 'true' : 'false']);
  return headers;
}
