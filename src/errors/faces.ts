// How an error looks on each face. The face is chosen by path alone, for every failure
// (specification 3.1), so that one SDK can read all of /v1 and one client all of /api.

import { type CatalogueEntry, entryOf } from './catalogue.ts';
import type { Refusal } from './tensorforge-error.ts';

export type Face = 'openai' | 'control';

/** `/v1` and everything under it speaks OpenAI; all the rest speaks the control envelope. */
export function faceOfPath(path: string): Face {
  return path === '/v1' || path.startsWith('/v1/') || path.startsWith('/v1?')
    ? 'openai'
    : 'control';
}

/** Seconds for `retry-after`, or undefined when repeating is pointless. */
export function retryAfterSeconds(refusal: Refusal): number | undefined {
  const entry: CatalogueEntry = entryOf(refusal.code);
  if (!entry.retryable) return undefined;
  const seconds = refusal.retryAfterSeconds ?? entry.retryAfterSeconds;
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

/** The JSON text of the body on this face. */
export function errorBody(face: Face, refusal: Refusal): string {
  return JSON.stringify(face === 'openai' ? openAiBody(refusal) : controlBody(refusal));
}

/** The headers that an error carries on any face, lower-case names. */
export function errorHeaders(face: Face, refusal: Refusal): [string, string][] {
  const entry: CatalogueEntry = entryOf(refusal.code);
  const headers: [string, string][] = [['content-type', 'application/json']];
  const seconds = retryAfterSeconds(refusal);
  if (seconds !== undefined) headers.push(['retry-after', String(seconds)]);
  if (entry.status === 401) headers.push(['www-authenticate', 'Bearer']);
  if (face === 'openai') headers.push(['x-should-retry', entry.retryable ? 'true' : 'false']);
  return headers;
}
