// The one place that takes a credential from a request. Every face and every route asks here, so
// that no header is a way around a check (the order of headers, their letter case and their number
// change nothing). On `/v1` a cookie or a query string is no credential.
//
// All refusals with 401 say the same words: which of absent, malformed, unknown, expired or revoked
// it was stands only in the audit.

import { err, ok, type Result } from '../../base/result.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';

export type KeyCredential = {
  readonly kind: 'key';
  /** Visible ASCII without blanks, at most 8 KiB. Its form and right are judged by the caller. */
  readonly text: string;
};

export type SessionCredential = { readonly kind: 'session'; readonly text: string };

export type CredentialHeaders = {
  /** The first Authorization value. */
  readonly authorization: string | undefined;
  readonly authorizationCount: number;
  /** The first x-api-key value. */
  readonly xApiKey: string | undefined;
  readonly xApiKeyCount: number;
};

/** The words of every 401 for an API key. */
export const invalidApiKeyMessage =
  'The request carries no valid API key: it is absent, malformed, unknown, expired or revoked. ' +
  'Send one as "Authorization: Bearer tfk_..." or "x-api-key: tfk_...".';

const bearerShape = /^bearer +([\x21-\x7e]{1,8192})$/i;
const bareShape = /^[\x21-\x7e]{1,8192}$/;

const missing: Refusal = refusal('missing_api_key', invalidApiKeyMessage);
const invalid: Refusal = refusal('invalid_api_key', invalidApiKeyMessage);

function ambiguous(what: string): { readonly ok: false; readonly error: Refusal } {
  return err(refusal('ambiguous_credentials', `The request carries ${what}. Send one credential.`));
}

/** Absent, blank, or of another scheme: nothing was offered. Offered but misshapen is invalid. */
function bearerOf(authorization: string): Result<string, Refusal> {
  const token = bearerShape.exec(authorization)?.[1];
  if (token !== undefined) return ok(token);
  return err(/^bearer[ \t]+[^ \t]/i.test(authorization) ? invalid : missing);
}

function bareKeyOf(xApiKey: string): Result<string, Refusal> {
  if (bareShape.test(xApiKey)) return ok(xApiKey);
  return err(/[^ \t]/.test(xApiKey) ? invalid : missing);
}

/** The credential of a data-plane request (cases 108 to 129). */
export function extractCredential(headers: CredentialHeaders): Result<KeyCredential, Refusal> {
  if (headers.authorizationCount > 1) return ambiguous('two Authorization headers');
  if (headers.xApiKeyCount > 1) return ambiguous('two x-api-key headers');
  const { authorization, xApiKey } = headers;
  const bearer = authorization === undefined ? undefined : bearerOf(authorization);
  const bare = xApiKey === undefined ? undefined : bareKeyOf(xApiKey);
  if (bearer !== undefined && bare !== undefined) {
    if (!bearer.ok || !bare.ok || bearer.value !== bare.value) {
      return ambiguous('an Authorization and an x-api-key header that differ');
    }
  }
  const found = bearer ?? bare ?? err(missing);
  return found.ok ? ok({ kind: 'key', text: found.value }) : found;
}

/**
 * The credential of a control-plane request, where the dashboard's session cookie counts as well,
 * but never beside another credential (case 128).
 */
export function extractControlCredential(
  headers: CredentialHeaders,
  sessionCookie: string | undefined,
): Result<KeyCredential | SessionCredential, Refusal> {
  if (sessionCookie === undefined) return extractCredential(headers);
  if (headers.authorizationCount + headers.xApiKeyCount > 0) {
    return ambiguous('a session cookie and another credential');
  }
  return ok({ kind: 'session', text: sessionCookie });
}
