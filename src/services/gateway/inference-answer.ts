// What the head of an inference answer says beside the answer itself: who served it, on which
// attempt, at which cost in time; and how a failure is written, once we have tried elsewhere.

import type { ServerResponse } from 'node:http';
import type { Annotation } from '../../base/annotation.ts';
import { isCloudType } from '../../base/backend-type.ts';
import type { ServingMode } from '../../core/policy/serving-mode.ts';
import type { RouteReason } from '../../core/routing/decide.ts';
import type { Target } from '../../core/routing/snapshot.ts';
import type { SplitAssignment } from '../../core/routing/split.ts';
import { headerUsd, usdOf } from '../../core/usage/money.ts';
import { entryOf } from '../../errors/catalogue.ts';
import { errorBody, errorHeaders, type Face } from '../../errors/faces.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import { annotationPrefix } from '../../protocol/http/annotations.ts';
import { ownPrefix } from './respond.ts';
import type { BudgetStanding } from './thread-spend.ts';
import type { PassThrough } from './upstream-failure.ts';

/** What is known of a request when its answer begins. */
export type AnswerFacts = {
  readonly requestId: string;
  readonly clientRequestId: string | undefined;
  readonly attempts: number;
  readonly overheadMs: number;
  /** How long it waited for a backend, ms. */
  readonly queueMs: number;
  /** The serving mode in force; told when it is not normal. */
  readonly mode: ServingMode;
  /** What it is expected to cost; undefined where nothing is charged. */
  readonly estimateMicroUsd: number | undefined;
  /** Where the budget of the month stands; undefined while it is normal. */
  readonly budget: BudgetStanding | undefined;
  /** What is left of the limits that hold for it, flat headers; undefined where none is set. */
  readonly limits: readonly string[] | undefined;
  /** The arm of an experiment that it got. */
  readonly split: SplitAssignment | undefined;
  /** What the client sent to find again; undefined for most. */
  readonly annotations: readonly Annotation[] | undefined;
  /** Age of the answer in ms where an older one is given; undefined else. */
  readonly degradedMs: number | undefined;
  /** The backend of the last attempt, undefined when there was none. */
  readonly served:
    | {
        readonly target: Target;
        readonly model: string;
        readonly routeReason: RouteReason;
        /** Does the model stand in for the one that was asked for? */
        readonly isFallback: boolean;
      }
    | undefined;
};

/** A header value may hold visible ASCII only; anything else becomes `?`. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 256);
}

/** Per cent and USD, both with two decimals (specification BR 20.1). */
function addBudget(headers: string[], budget: BudgetStanding): void {
  headers.push(
    `${ownPrefix}budget-status`,
    budget.status,
    `${ownPrefix}budget-utilization`,
    budget.utilizationPercent.toFixed(2),
    `${ownPrefix}budget-remaining`,
    usdOf(budget.remaining).toFixed(2),
  );
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
    `${ownPrefix}queue-ms`,
    facts.queueMs === 0 ? '0' : facts.queueMs.toFixed(0),
  );
  if (facts.mode !== 'normal') headers.push(`${ownPrefix}mode`, facts.mode);
  if (facts.estimateMicroUsd !== undefined) {
    headers.push(`${ownPrefix}cost-estimated`, headerUsd(facts.estimateMicroUsd));
  }
  if (facts.budget !== undefined) addBudget(headers, facts.budget);
  if (facts.limits !== undefined) headers.push(...facts.limits);
  if (facts.split !== undefined) {
    const { experiment, arm } = facts.split;
    headers.push(`${ownPrefix}experiment`, experiment, `${ownPrefix}variant`, arm);
  }
  if (facts.annotations !== undefined) {
    for (const { name, value } of facts.annotations) headers.push(annotationPrefix + name, value);
  }
  if (facts.degradedMs !== undefined) {
    headers.push(`${ownPrefix}degraded`, String(Math.round(facts.degradedMs / 1000)));
  }
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
    if (served.isFallback) headers.push(`${ownPrefix}fallback-model`, headerText(served.model));
  }
  return headers;
}

/** After a failover of our own the client is told not to repeat what we have repeated already. */
function mayRetry(isRetryable: boolean, facts: AnswerFacts): string {
  return isRetryable && facts.attempts <= 1 ? 'true' : 'false';
}

/** Writes a refusal of ours as the whole answer. */
export function answerRefusal(
  response: ServerResponse,
  cause: Refusal,
  facts: AnswerFacts,
  face: Face = 'openai',
): void {
  if (response.headersSent || response.destroyed) return;
  const body = errorBody(face, cause);
  const headers: string[] = ['content-length', String(Buffer.byteLength(body))];
  for (const [name, value] of errorHeaders(face, cause)) {
    if (name !== 'x-should-retry') headers.push(name, value);
  }
  const { retryable, status } = entryOf(cause.code);
  headers.push('x-should-retry', mayRetry(retryable, facts));
  if (face === 'anthropic') headers.push('request-id', facts.requestId);
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
