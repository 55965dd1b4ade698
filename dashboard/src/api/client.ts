// One function through which every call goes: the session cookie rides along, unsafe methods carry
// the proof that they come from this page, and every failure becomes an `ApiFailure`.

import { ApiFailure, failureOfAnswer, failureOfNetwork, failureOfShape } from './failure.ts';

export type Call = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON; unsafe methods without one send an empty object. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** How long the answer may take; default 20 s. */
  readonly timeoutMs?: number;
};

const usualTimeoutMs = 20_000;

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Calls the control API and returns its answer once `accepts` has seen it.
 * Throws `ApiFailure`; an aborted call throws what the browser throws.
 */
export async function callApi<Answer>(
  path: string,
  accepts: (value: unknown) => value is Answer,
  { method = 'GET', body, signal, timeoutMs = usualTimeoutMs }: Call = {},
): Promise<Answer> {
  const unsafe = method !== 'GET';
  const limit = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      headers: unsafe
        ? { 'content-type': 'application/json', 'x-tensorforge-csrf': '1' }
        : { accept: 'application/json' },
      ...(unsafe ? { body: JSON.stringify(body ?? {}) } : {}),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw failureOfNetwork(location.origin);
  }
  const answer = await bodyOf(response);
  if (!response.ok) throw failureOfAnswer(response.status, answer);
  if (!accepts(answer)) throw failureOfShape(path);
  return answer;
}

/** Trying again helps when nobody answered or the server was away, not when it refused. */
export function worthRetrying(failures: number, error: unknown): boolean {
  if (failures >= 2) return false;
  if (!(error instanceof ApiFailure)) return false;
  const { status } = error.parts;
  return status === 0 || status === 502 || status === 503 || status === 504;
}
