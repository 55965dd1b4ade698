// The refusal of an address that an operator gave for a backend; the rule itself stands in base.

import { canonicalBackendUrl, type OwnListener } from '../../base/backend-url.ts';
import { err, type Result } from '../../base/result.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';

/** Who named the address. Operators may point at loopback and private networks. */
type UrlPurpose = 'operator';

/** The canonical base URL of a backend, or a refusal `unsafe_url` that says what is wrong with it. */
export function canonicalBaseUrl(
  text: string,
  purpose: UrlPurpose,
  ownListeners: readonly OwnListener[],
): Result<string, Refusal> {
  const url = canonicalBackendUrl(text, ownListeners);
  if (url.ok) return url;
  return err(
    refusal('unsafe_url', `This address is refused for a backend: ${url.error}.`, {
      param: 'url',
      context: { purpose },
    }),
  );
}
