// Defects of security and statistics.

import { documents } from '../../support/documents.ts';
import { type Defect, planted } from './defect.ts';

export const analysisDefects: readonly Defect[] = [
  planted(
    'parent segments are removed once, as text',
    'security',
    'sanitise_path',
    () => (path) => {
      return path.replaceAll('../', '').replaceAll('\\', '/').replace(/^\/+/, '');
    },
  ),
  planted('addresses match by prefix', 'security', 'ip_in_allowlist', () => (ip, list) => {
    return list.some((entry) => ip.startsWith(entry));
  }),
  planted('origins match by suffix', 'security', 'is_allowed_origin', () => (origin) => {
    return origin.endsWith('tensorforge.internal');
  }),
  planted(
    'blanks are a token',
    'security',
    'validate_token_format',
    () => (token) => token.length > 0,
  ),
  planted('E.2: an empty token is one', 'security', 'validate_token_format', () => () => true),
  planted('a signature is not held against its payload', 'security', 'verify_signature', () => {
    return (_payload, signature, expected) => signature === expected;
  }),
  planted('a shortened signature passes', 'security', 'verify_signature', (sound) => {
    return (payload, signature, expected) =>
      sound(payload, signature, expected) || expected.includes(signature);
  }),
  planted('any key verifies', 'security', 'verify_manifest', (sound) => {
    const { sign_manifest } = documents.security;
    return (payload, key, signature) =>
      sound(payload, key, signature) || sign_manifest(payload, key.slice(0, -1)) === signature;
  }),
  planted('8 characters are weak', 'security', 'password_strength', (sound) => (password) => {
    return sound(password.slice(0, -1));
  }),
  planted('the first four are shown', 'security', 'mask_sensitive', () => (value) => {
    return value.slice(0, 4).padEnd(value.length, '*');
  }),
  planted(
    'refresh is inclusive',
    'security',
    'token_needs_refresh',
    (sound) => (issued, now, ttl, window) => {
      return sound(issued, now + 1, ttl, window);
    },
  ),
  planted(
    'C13: a session ends with its token',
    'security',
    'session_expired',
    () => (issued, ttl, now) => {
      return now >= issued + ttl;
    },
  ),
  planted('a token lives one instant longer', 'security', 'TokenStore', (sound) => () => {
    const store = sound();
    return { ...store, validate: (id, token, now) => store.validate(id, token, now - 1) };
  }),
  planted('cleanup and validation disagree', 'security', 'TokenStore', (sound) => () => {
    const store = sound();
    return { ...store, cleanup: (now) => store.cleanup(now - 1) };
  }),
  planted('one permission is enough', 'security', 'permission_check', () => (required, held) => {
    return required.some((permission) => [...held].includes(permission));
  }),
  planted(
    'only neighbours at the end are compared',
    'security',
    'audit_log_monotonic',
    () => (times) => {
      return (times[0] ?? 0) <= (times.at(-1) ?? 0) || times.length < 2;
    },
    'examples',
  ),
  planted('a percentile is interpolated', 'statistics', 'percentile', () => (values, pct) => {
    const ascending = values.toSorted((a, b) => a - b);
    const place = (pct / 100) * (ascending.length - 1);
    const [low, high] = [ascending[Math.floor(place)] ?? 0, ascending[Math.ceil(place)] ?? 0];
    return low + (high - low) * (place - Math.floor(place));
  }),
  planted('numbers are sorted as text', 'statistics', 'percentile', () => (values, pct) => {
    const ascending = [...values].sort();
    return ascending[Math.max(0, Math.ceil((pct * ascending.length) / 100) - 1)] ?? 0;
  }),
  planted('alpha weighs the old value', 'statistics', 'exponential_moving_average', (sound) => {
    return (previous, next, alpha) => sound(next, previous, alpha);
  }),
  planted('C8: the variance of a population', 'statistics', 'variance', (sound) => (values) => {
    return sound(values, 0);
  }),
  planted('a running variance divides by the window', 'statistics', 'running_variance', (sound) => {
    return (values, window) =>
      sound(values, window).map((variance, at) => {
        const length = Math.min(at + 1, window);
        return (variance * (length - 1)) / Math.max(1, window - 1);
      });
  }),
  planted('a correlation mixes its divisors', 'statistics', 'correlation', (sound) => (xs, ys) => {
    return (sound(xs, ys) * (xs.length - 1)) / xs.length;
  }),
  planted(
    'rising and falling are swapped',
    'statistics',
    'detect_trend',
    (sound) => (values, alpha) => {
      const trend = sound(values, alpha);
      return trend === 'rising' ? 'falling' : trend === 'falling' ? 'rising' : trend;
    },
  ),
  planted(
    'response times are cut to whole numbers',
    'statistics',
    'ResponseTimeTracker',
    (sound) => {
      return (window) => {
        const tracker = sound(window);
        return { ...tracker, record: (value: number) => tracker.record(Math.trunc(value)) };
      };
    },
    'examples',
  ),
  planted('the tracker keeps one too many', 'statistics', 'ResponseTimeTracker', (sound) => {
    return (window) => sound(window + 1);
  }),
];
