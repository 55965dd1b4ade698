// How a backend is shown our key: in a header of its provider's, never in an address, which ends in
// logs and in words of errors (registry 7.1, 7.4).

import type { BackendType } from '../../base/backend-type.ts';

/** https://docs.anthropic.com/en/api/versioning; the only version that our translation speaks. */
const anthropicVersion = '2023-06-01';

/** Headers, lower-case names. `key` is one header value, checked by whoever read it. */
export function backendCredential(
  type: BackendType,
  key: string,
): Readonly<Record<string, string>> {
  if (type === 'anthropic') return { 'x-api-key': key, 'anthropic-version': anthropicVersion };
  if (type === 'google') return { 'x-goog-api-key': key };
  return { authorization: `Bearer ${key}` };
}
