// What a failed attempt means: may another backend be asked, and what would the client hear when
// none is left. A backend's own 4xx goes to the client as it is, except 401 and 403: those quote
// our credential, so the client hears 502 upstream_auth_failed without the body. The responses API
// is passed through where a backend has it, so a 404 there is a reason to ask another one.

import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { UpstreamFailure } from '../../io/http/upstream/upstream.ts';

export type PassThrough = {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  readonly body: Buffer;
  /** Another backend may be asked first: 429, or a route that not every engine has. */
  readonly retryable: boolean;
};

export type AttemptFailure = {
  readonly refusal: Refusal;
  /** Set when the client shall see the backend's own answer. */
  readonly passThrough: PassThrough | undefined;
};

export function failureOfStatus(
  status: number,
  answer: {
    readonly contentType: string;
    readonly retryAfter: string | undefined;
    readonly body: Buffer;
  },
  /** Do engines differ in whether they have the route at all? */
  isOptionalRoute = false,
): AttemptFailure {
  if (status === 401 || status === 403) {
    const words = `The backend answered ${status} to the credential configured for it.`;
    return { refusal: refusal('upstream_auth_failed', words), passThrough: undefined };
  }
  if (status >= 400 && status < 500) {
    return {
      refusal: refusal('invalid_request', `The backend answered ${status}.`),
      passThrough: {
        status,
        ...answer,
        retryable: status === 429 || (isOptionalRoute && (status === 404 || status === 405)),
      },
    };
  }
  const words =
    status < 400
      ? `The backend answered with a redirect (${status}), which is never followed.`
      : `The backend answered ${status}.`;
  return { refusal: refusal('bad_gateway', words), passThrough: undefined };
}

export function failureOfUpstream(failure: UpstreamFailure): AttemptFailure {
  return {
    refusal: refusal('bad_gateway', `The backend failed: ${failure.words}.`),
    passThrough: undefined,
  };
}

export function badAnswer(words: string): AttemptFailure {
  return { refusal: refusal('bad_gateway', words), passThrough: undefined };
}

export function timeoutFailure(timer: string, limitMs: number): AttemptFailure {
  const words = `The backend was too slow: the ${timer.replace('_', ' ')} limit of ${limitMs / 1000} s passed.`;
  return {
    refusal: refusal('gateway_timeout', words, { context: { timer } }),
    passThrough: undefined,
  };
}
