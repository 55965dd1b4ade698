// What the head of an inference answer says beside the answer itself: who served it, on which
// attempt, at which cost in time; and how a failure is written, once we have tried elsewhere.

import type { ServerResponse } from 'node:http';
import { isCloudType } from '../../base/backend-type.ts';
import type { ServingMode } from '../../core/policy/serving-mode.ts';
import type { RouteReason } from '../../core/routing/decide.ts';
import type { Target } from '../../core/routing/snapshot.ts';
import { entryOf } from '../../errors/catalogue.ts';
import { errorBody, errorHeaders } from '../../errors/faces.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import { ownPrefix } from './respond.ts';
import type { PassThrough } from './upstream-failure.ts';

/** What is known of a request when its answer begins. */
export type AnswerFacts = {
  readonly requestId: string;
  readonly clientRequestId: string | undefined;
  readonly attempts: number;
  readonly overheadMs: number;
  /** The serving mode in force; told when it is not normal. */
  readonly mode: ServingMode;
  /** The backend of the last attempt, undefined when there was none. */
  readonly served:
    | { readonly target: Target; readonly model: string; readonly routeReason: RouteReason }
    | undefined;
};

/** A header value may hold visible ASCII only; anything else becomes `?`. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 256);
}

/** Adds our own headers to flat `headers`. */
export function addOwnHeaders(headers: string[], facts: AnswerFacts): string[] {
  const { requestId, clientRequestId, served } = facts;
  headers.push('x-request-id', requestId);
  if (clientRequestId !== undefined) headers.push('x-client-request-id', clientRequestId);
  headers.push(
    `${ownPrefix}decision`,
    `${requestId}.${facts.attempts}`,
    `${ownPrefix}attempts`,
    String(facts.attempts),
    `${ownPrefix}overhead-ms`,
    facts.overheadMs.toFixed(3),
  );
  if (facts.mode !== 'normal') headers.push(`${ownPrefix}mode`, facts.mode);
  if (served !== undefined) {
    const { target } = served;
    headers.push(
      `${ownPrefix}backend`,
      target.id,
      `${ownPrefix}backend-type`,
      isCloudType(target.backendType) ? 'cloud' : 'local',
      `${ownPrefix}model`,
      headerText(served.model),
      `${ownPrefix}route-reason`,
      served.routeReason,
      `${ownPrefix}privacy-zone`,
      target.zone,
    );
  }
  return headers;
}

/** After a failover of our own the client is told not to repeat what we have repeated already. */
function mayRetry(isRetryable: boolean, facts: AnswerFacts): string {
  return isRetryable && facts.attempts <= 1 ? 'true' : 'false';
}

/** Writes a refusal of ours as the whole answer. */
export function answerRefusal(response: ServerResponse, cause: Refusal, facts: AnswerFacts): void {
  if (response.headersSent || response.destroyed) return;
  const body = errorBody('openai', cause);
  const headers: string[] = ['content-length', String(Buffer.byteLength(body))];
  for (const [name, value] of errorHeaders('openai', cause)) {
    if (name !== 'x-should-retry') headers.push(name, value);
  }
  const { retryable, status } = entryOf(cause.code);
  headers.push('x-should-retry', mayRetry(retryable, facts));
  response.writeHead(status, addOwnHeaders(headers, facts));
  response.end(body);
}

/** The content type of a JSON answer as the backend names it; its markup is never passed on as such. */
export function jsonContentType(contentType: string): string {
  return /^application\/(?:[a-z0-9.-]+\+)?json\b/i.test(contentType)
    ? contentType
    : 'application/json';
}

/** A backend's own 4xx: its status and its bytes. */
export function answerPassThrough(
  response: ServerResponse,
  answer: PassThrough,
  facts: AnswerFacts,
): void {
  const isJson = /json\b/i.test(answer.contentType);
  const headers = [
    'content-type',
    isJson ? jsonContentType(answer.contentType) : 'text/plain; charset=utf-8',
    'content-length',
    String(answer.body.length),
    'x-should-retry',
    mayRetry(answer.status === 429 || answer.status === 408, facts),
  ];
  if (answer.retryAfter !== undefined) headers.push('retry-after', answer.retryAfter);
  response.writeHead(answer.status, addOwnHeaders(headers, facts));
  response.end(answer.body);
}
