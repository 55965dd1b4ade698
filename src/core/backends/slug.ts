// A backend's id is a slug of its name, so that it stays the same over restarts and reads well in
// headers, metrics and commands. Two names with one slug are told apart by a digest of the URL.

import { assert } from '../../base/assert.ts';

export const slugLengthMax = 63;

const suffixDigits = 6;

/** `[a-z0-9-]{1,63}`: lower case, everything else one hyphen; `backend` when nothing is left. */
export function slugOf(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, slugLengthMax)
    .replace(/^-+|-+$/g, '');
  return slug === '' ? 'backend' : slug;
}

/**
 * A slug that `isTaken` does not know: the plain one, else with `-` and six hex digits of
 * `urlDigestHex` (a lower-case hex digest of the canonical URL). Undefined when both are taken,
 * which means that the same name at the same URL is there already.
 */
export function uniqueSlug(
  name: string,
  urlDigestHex: string,
  isTaken: (slug: string) => boolean,
): string | undefined {
  assert(/^[0-9a-f]{6,}$/.test(urlDigestHex), 'a digest of at least six hex digits');
  const plain = slugOf(name);
  if (!isTaken(plain)) return plain;
  const stem = plain.slice(0, slugLengthMax - suffixDigits - 1).replace(/-+$/, '');
  const suffixed = `${stem}-${urlDigestHex.slice(0, suffixDigits)}`;
  return isTaken(suffixed) ? undefined : suffixed;
}
