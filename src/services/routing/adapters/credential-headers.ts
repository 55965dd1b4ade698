// The header that carries a backend's credential to it. The value is read from the environment at
// each probe, by a function from outside, and stays inside a Secret until the header is written.

import { isCloudType } from '../../../base/backend-type.ts';
import type { Secret } from '../../../base/secret.ts';
import { permittedKeyEnv } from '../../../core/backends/url-credential.ts';
import type { ProbeHeaders } from '../../../io/http/probe/probe-client.ts';
import { backendCredential } from '../../../protocol/credentials/backend-credential.ts';
import type { ProbeTarget } from './probe-result.ts';

/** The value of an environment variable; undefined when it is not set. */
export type ReadCredential = (name: string) => Secret | undefined;

export type CredentialHeaders =
  | { readonly ok: true; readonly headers: ProbeHeaders }
  /** Words for `last_error`; they name the variable, never its value. */
  | { readonly ok: false; readonly words: string };

/**
 * Headers with the credential of `target`. A backend that nobody approved gets none (R7), and a
 * variable that its address may not have is refused again here, whatever was stored (R6).
 */
export function credentialHeaders(target: ProbeTarget, read: ReadCredential): CredentialHeaders {
  const { apiKeyEnv, backendType, url, discoverySource, approved } = target;
  if (apiKeyEnv === undefined || !approved) {
    return isCloudType(backendType) && approved
      ? { ok: false, words: 'configuration error: api_key_env is missing' }
      : { ok: true, headers: {} };
  }
  const permitted = permittedKeyEnv(apiKeyEnv, url, discoverySource);
  if (!permitted.ok) {
    return { ok: false, words: 'configuration error: api_key_env is not permitted here' };
  }
  const value = read(permitted.value)?.reveal();
  if (value === undefined || value === '') {
    const fault = value === undefined ? 'is not set' : 'is empty';
    return { ok: false, words: `configuration error: ${permitted.value} ${fault}` };
  }
  // Anything else could not be one header value, and would tear the head of the request.
  if (!/^[\x21-\x7e]{1,4096}$/.test(value)) {
    return { ok: false, words: `configuration error: ${permitted.value} is not a credential` };
  }
  return { ok: true, headers: backendCredential(backendType, value) };
}
