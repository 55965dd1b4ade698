// The view of a backend as JSON, read back: what one installation wrote, another understands. What
// may be null may also be absent; a text that is none of a closed set is a fault, never a guess.

import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { parseRfc3339, toRfc3339 } from '../../base/time.ts';
import { type BackendViewWire, backendViewSchema } from './schemas.ts';

/** Members that an older or a foreign writer leaves out where we write null. */
const nullable = ['last_error', 'status_reason', 'first_byte_ms', 'current_operation', 'load'];
const times = ['last_health_check', 'status_since'];

type Members = Record<string, unknown>;

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withNulls(object: Members, names: readonly string[]): Members {
  const missing = names.filter((name) => object[name] === undefined);
  return { ...object, ...Object.fromEntries(missing.map((name) => [name, null])) };
}

/** Every time with milliseconds and `Z`, whatever fraction of up to nine digits it had. */
function withTimes(object: Members): Members {
  const read = times.flatMap((name) => {
    const text = object[name];
    const at = typeof text === 'string' ? parseRfc3339(text) : undefined;
    return at === undefined ? [] : [[name, toRfc3339(at)]];
  });
  return { ...object, ...Object.fromEntries(read) };
}

function badTimes(object: Members): string[] {
  return times.filter((name) => {
    const text = object[name];
    return typeof text !== 'string' || parseRfc3339(text) === undefined;
  });
}

/**
 * A view from its JSON text. Refuses what is not JSON, a member of another type, an unknown text of a
 * closed set, and a time that is not RFC 3339; the words name each member.
 */
export function parseBackendView(text: string): Result<BackendViewWire, Fault<'invalid_request'>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return err(fault('invalid_request', 'backend: not JSON'));
  }
  if (!isObject(json)) return err(fault('invalid_request', 'backend: must be an object'));
  const models = Array.isArray(json['models'])
    ? json['models'].map((model: unknown) =>
        isObject(model) ? withNulls(model, ['max_output_tokens']) : model,
      )
    : json['models'];
  const parsed = backendViewSchema.safeParse(withTimes({ ...withNulls(json, nullable), models }));
  const issues = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const timeWords = badTimes(json).map((name) => `${name}: must be an RFC 3339 time`);
  if (parsed.success && timeWords.length === 0) return ok(parsed.data);
  return err(fault('invalid_request', `backend: ${[...issues, ...timeWords].join('; ')}`));
}
