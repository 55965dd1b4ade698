// One spelling for every path. Routes compare exact text, so two spellings of one path must not
// reach them: `/v1/%6dodels` becomes `/v1/models`, and what could climb, end a string or hide a
// separator is refused (cases 194 to 197).
//
// The canonical path stays percent-encoded: unreserved characters are written plainly, everything
// else as upper-case `%XX`. A decoded path could not be canonical: `%2541` would decode to `%41`,
// and again to `A`. Parameters are decoded once, by `decodePathParameter`, when a route takes them.

import { err, ok, type Result } from '../../base/result.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';

export type CanonicalPath = {
  /** Starts with `/`; percent escapes only for what is not unreserved. */
  readonly path: string;
  /** The text after the first `?`, as it came; empty when there is none. */
  readonly query: string;
};

// Nearly every request: plain characters, and no dot at the start of a segment.
const plainPath = /^(?:\/(?![.])[A-Za-z0-9\-._~!$&'()*+,;=:@]*)+$/;
const pathCharacters = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*$/;
const unreserved = /[A-Za-z0-9\-._~]/;

function refusePath(what: string): { readonly ok: false; readonly error: Refusal } {
  return err(
    refusal('invalid_path', `The path ${what}. Send the path of a documented route, escaped once.`),
  );
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** An encoded slash is data only where a model id may stand, alone or in the id of a breaker. */
const mayHoldSlash = /\/(?:models|breakers)\//;

function hasStrayEncodedSlash(path: string): boolean {
  const slashAt = path.indexOf('%2F');
  if (slashAt < 0) return false;
  const segment = mayHoldSlash.exec(path);
  return segment === null || slashAt < segment.index + segment[0].length;
}

function canonicalEscapes(path: string): Result<string, Refusal> {
  if (!pathCharacters.test(path)) return refusePath('holds a character that must be escaped');
  const text = decoded(path);
  if (text === undefined) return refusePath('holds a bad percent escape');
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) return refusePath('holds a control character');
  if (text.includes('\\')) return refusePath('holds a backslash');
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(text)) return refusePath('holds a dot segment');
  const canonical = path.replace(/%([0-9A-Fa-f]{2})/g, (escaped, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return unreserved.test(character) ? character : escaped.toUpperCase();
  });
  if (hasStrayEncodedSlash(canonical)) return refusePath('holds an encoded slash');
  return ok(canonical);
}

/** Splits an origin-form target at its first `?` and brings the path into its one spelling. */
export function canonicalPath(target: string): Result<CanonicalPath, Refusal> {
  const queryAt = target.indexOf('?');
  const path = queryAt < 0 ? target : target.slice(0, queryAt);
  const query = queryAt < 0 ? '' : target.slice(queryAt + 1);
  if (plainPath.test(path)) return ok({ path, query });
  const canonical = canonicalEscapes(path);
  return canonical.ok ? ok({ path: canonical.value, query }) : canonical;
}

/** Decodes one parameter cut from a canonical path, whose escapes are known to be good. */
export function decodePathParameter(text: string): string {
  return text.includes('%') ? decodeURIComponent(text) : text;
}
