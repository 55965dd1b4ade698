// What the end of an attempt says of the backend. Its breakers are for backends that fail, not for
// requests that are wrong, quotas that are used up or credentials that are: those are answers of a
// backend that works, and taking it out would help nobody (gateways survey, section 5, rule 15).
//
//   none     tells nothing: the client left, we stopped it, 4xx, 429 (it asks for patience), 401 and 403
//            (our configuration, which a person mends), a route that not every engine has, and the end
//            of the time for the whole request, which other backends may have used up
//   failure  no connection, a broken, cut or malformed answer, silence beyond a limit, 5xx, a redirect,
//            a good status with an answer that cannot be used, an error event in a stream with status 200

import type { UpstreamFailureKind } from '../../io/http/upstream/upstream.ts';
import type { LimitName } from './attempt-limits.ts';

/** How an attempt ended. */
export type AttemptEnd =
  /** A whole answer that the client can use. */
  | { readonly kind: 'served' }
  /** An answer with another status than 2xx, whole. */
  | { readonly kind: 'status'; readonly status: number; readonly isOptionalRoute: boolean }
  /** 2xx with something that is no answer, before or after the first byte. */
  | { readonly kind: 'unusable' }
  | { readonly kind: 'upstream'; readonly failure: UpstreamFailureKind }
  | { readonly kind: 'timeout'; readonly timer: LimitName }
  /** The client left, its key was revoked, we stop, or nothing was sent. */
  | { readonly kind: 'abandoned' };

export type BreakerEffect = 'success' | 'failure' | 'none';

const timerEffects: Readonly<Record<LimitName, BreakerEffect>> = {
  connect: 'failure',
  headers: 'failure',
  first_token: 'failure',
  idle: 'failure',
  total: 'none',
};

/** An engine that lacks a route says so with one of these. */
const missingRoute: ReadonlySet<number> = new Set([404, 405, 501]);

function effectOfStatus(status: number, isOptionalRoute: boolean): BreakerEffect {
  if (status >= 200 && status < 300) return 'success';
  if (isOptionalRoute && missingRoute.has(status)) return 'none';
  return status >= 400 && status < 500 ? 'none' : 'failure';
}

/** What both breakers of the attempt hear: that of the backend, and that of the model on it. */
export function breakerEffect(end: AttemptEnd): BreakerEffect {
  switch (end.kind) {
    case 'served':
      return 'success';
    case 'status':
      return effectOfStatus(end.status, end.isOptionalRoute);
    case 'unusable':
      return 'failure';
    case 'upstream':
      return end.failure === 'aborted' ? 'none' : 'failure';
    case 'timeout':
      return timerEffects[end.timer];
    case 'abandoned':
      return 'none';
  }
}
