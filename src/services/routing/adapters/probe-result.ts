// What every adapter answers when asked about one backend, and the steps that they share.

import type { BackendType } from '../../../base/backend-type.ts';
import type { Backend, Model } from '../../../core/backends/backend.ts';
import type { ModelRuntime } from '../../../core/backends/model-runtime.ts';
import type {
  ProbeAnswer,
  ProbeHeaders,
  ProbeReply,
  ProbeSession,
} from '../../../io/http/probe/probe-client.ts';
import {
  httpError,
  type ProbeFailure,
  type ProbeFailureKind,
} from '../../../io/http/probe/probe-failure.ts';
import { memberOf, textOf } from './json-shape.ts';

export type ProbeTarget = Pick<
  Backend,
  'id' | 'url' | 'backendType' | 'apiKeyEnv' | 'discoverySource' | 'approved'
>;

export type HealthyProbe = {
  readonly kind: 'healthy';
  /** Undefined keeps what is known: the server is well, its list could not be read. */
  readonly models: readonly Model[] | undefined;
  readonly latencyMs: number;
  readonly version?: string | undefined;
  /** Concurrent requests it can work on. */
  readonly capacity?: number | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Alive with every slot taken. */
  readonly busy?: boolean | undefined;
  /** What the engine tells of its models besides; undefined keeps what is known. */
  readonly runtime?: readonly ModelRuntime[] | undefined;
  /** A fixed text for the log when something about the answer was odd. */
  readonly warning?: 'unreadable_model_list' | undefined;
};

export type ProbeResult =
  | HealthyProbe
  | { readonly kind: 'unhealthy'; readonly words: string; readonly class: ProbeFailureKind }
  | { readonly kind: 'loading' }
  | { readonly kind: 'rate_limited'; readonly retryAfterS: number }
  | { readonly kind: 'config_error'; readonly words: string };

/** A live server whose list cannot be read: what is known of its models stays. */
export function unreadable(latencyMs: number): HealthyProbe {
  return { kind: 'healthy', models: undefined, latencyMs, warning: 'unreadable_model_list' };
}

/** What an adapter is given for one probe. Headers hold the credential, if there is one. */
export type ProbeContext = {
  readonly session: ProbeSession;
  readonly headers: ProbeHeaders;
};

export interface Adapter {
  readonly type: BackendType;
  probe(context: ProbeContext, target: ProbeTarget): Promise<ProbeResult>;
}

/** For a 429 that does not say how long, s. */
const retryAfterDefaultS = 30;

export function unhealthy(failure: ProbeFailure): ProbeResult {
  return { kind: 'unhealthy', words: failure.words, class: failure.kind };
}

/** The words of a refusal, wherever engines put them, in lower case; only ever searched, not shown. */
export function refusalWords({ json }: ProbeReply): string {
  const error = memberOf(json, 'error');
  const words = [
    error,
    memberOf(error, 'message'),
    memberOf(json, 'message'),
    memberOf(json, 'status'),
  ];
  return words.map(textOf).join(' ').toLowerCase();
}

/** 503 while a model is being read into memory is neither failure nor success (BR 7.1). */
function isLoading(reply: ProbeReply): boolean {
  return reply.status === 503 && /\bloading\b/.test(refusalWords(reply));
}

/** A 2xx reply, or the result that any other answer stands for. */
export function successOf(
  answer: ProbeAnswer,
): { readonly reply: ProbeReply } | { readonly result: ProbeResult } {
  if (!answer.ok) return { result: unhealthy(answer) };
  const { status } = answer;
  if (status >= 200 && status < 300) return { reply: answer };
  if (isLoading(answer)) return { result: { kind: 'loading' } };
  if (status === 401 || status === 403) {
    return { result: { kind: 'config_error', words: httpError(status).words } };
  }
  if (status === 429) {
    const retryAfterS = answer.retryAfterS ?? retryAfterDefaultS;
    return { result: { kind: 'rate_limited', retryAfterS } };
  }
  return { result: unhealthy(httpError(status)) };
}
