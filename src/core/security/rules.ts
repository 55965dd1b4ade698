// Small security rules whose edges matter more than their size: rows of the platform specification
// A.12, held here for the deterministic core. All are pure; time is an argument in the caller's unit.

import { faceOfPath } from '../../errors/faces.ts';
import { addressBlock } from './ip-address.ts';

/** The origins that may call with a browser unless the configuration names others. */
export const defaultAllowedOrigins: readonly string[] = [
  'https://tensorforge.internal',
  'https://dispatch.tensorforge.internal',
  'https://admin.tensorforge.internal',
];

/** Exact membership: a prefix or suffix match would admit `https://tensorforge.internal.evil`. */
export function isAllowedOrigin(
  origin: string,
  allowed: readonly string[] = defaultAllowedOrigins,
): boolean {
  return allowed.includes(origin);
}

/** A token is anything but empty or blank text; what it is worth is decided elsewhere. */
export function isTokenWellFormed(token: string): boolean {
  return token.trim().length > 0;
}

export type PasswordStrength = 'weak' | 'medium' | 'strong';

/** By code points: more than 16 is strong, 8 to 16 medium. */
export function passwordStrength(password: string): PasswordStrength {
  const length = [...password].length;
  if (length > 16) return 'strong';
  return length >= 8 ? 'medium' : 'weak';
}

export function rateLimitKey(ip: string, path: string): string {
  return `ratelimit:${ip}:${path}`;
}

/** What kind of path was tried: attempts on one do not use up those on another. */
export type AttemptClass = 'data_plane' | 'control' | 'sign_in';

export function attemptClassOf(path: string): AttemptClass {
  if (faceOfPath(path) !== 'control') return 'data_plane';
  return path === '/api/v1/session' ? 'sign_in' : 'control';
}

/** The key under which rejected credentials of a client are counted: IPv6 per /64 (ruling R11). */
export function attemptKey(address: string, path: string): string {
  return rateLimitKey(addressBlock(address), attemptClassOf(path));
}

/** A token is expired from the instant issuedAt + ttl on. */
export function isTokenExpired(issuedAt: number, ttl: number, now: number): boolean {
  return now >= issuedAt + ttl;
}

/** A token lives in [issuedAt, issuedAt + ttl): not before it was issued, and not at its end. */
export function isTokenLive(issuedAt: number, ttl: number, now: number): boolean {
  return now >= issuedAt && !isTokenExpired(issuedAt, ttl, now);
}

/** A session still lives at the instant issuedAt + ttl; a token does not (platform A.12). */
export function sessionExpired(issuedAt: number, ttl: number, now: number): boolean {
  return now > issuedAt + ttl;
}

/** True strictly after the refresh window before the expiry has opened. */
export function tokenNeedsRefresh(
  issuedAt: number,
  now: number,
  ttl: number,
  window: number,
): boolean {
  return now > issuedAt + ttl - window;
}

/** Are all required permissions granted? Nothing required is always granted. */
export function hasPermissions(required: readonly string[], granted: ReadonlySet<string>): boolean {
  return required.every((permission) => granted.has(permission));
}

/** Non-decreasing over all adjacent pairs. */
export function isMonotonic(timestamps: readonly number[]): boolean {
  return timestamps.every((at, index) => index === 0 || (timestamps[index - 1] ?? at) <= at);
}
