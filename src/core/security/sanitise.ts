// Cleaning of values that *we* emit: rows of the platform specification A.12 (ruling R11), held here
// for the deterministic core. Input that would need cleaning is
// refused instead, by the head check and the path canonicaliser of the protocol.

import { err, ok, type Result } from '../../base/result.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';

/**
 * A relative path without parent segments: percent escapes decoded exactly once, then split at both
 * kinds of slash, and empty, `.` and `..` segments dropped. Removing the text `../` would be unsafe:
 * `....//` would turn into it. NUL and bad escapes are refused.
 */
export function sanitisePath(path: string): Result<string, Refusal> {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return err(refusal('invalid_path', 'The path holds a bad percent escape. Escape it once.'));
  }
  if (decoded.includes('\0')) {
    return err(refusal('invalid_path', 'The path holds a NUL character. Remove it.'));
  }
  const segments = decoded
    .split(/[/\\]/)
    .filter((segment) => segment !== '' && segment !== '.' && segment !== '..');
  return ok(segments.join('/'));
}

/** The value without any CR or LF, so that it cannot start another header. */
export function sanitizeHeader(value: string): string {
  return value.replace(/[\r\n]+/g, '');
}
