// The fixed words for what can go wrong when a backend is asked for its health. Operators see these
// and nothing that the peer wrote: neither its text nor its headers nor its address (security 2.5).

export type ProbeFailureKind =
  | 'timeout'
  /** No connection came about. */
  | 'unreachable'
  /** There was a connection, and it broke. */
  | 'connection'
  | 'dns'
  | 'tls'
  | 'unsafe_address'
  | 'http_status'
  | 'invalid_response'
  | 'stopped';

export type ProbeFailure = {
  readonly ok: false;
  readonly kind: ProbeFailureKind;
  /** One of a fixed list of texts. */
  readonly words: string;
};

export function failed(kind: ProbeFailureKind, words: string): ProbeFailure {
  return { ok: false, kind, words };
}

export function timedOut(timeoutMs: number): ProbeFailure {
  return failed('timeout', `request timeout after ${Math.round(timeoutMs / 100) / 10}s`);
}

/** `HTTP error: 503` and the like; status codes are numbers, so nothing foreign gets in. */
export function httpError(status: number): ProbeFailure {
  return failed('http_status', `HTTP error: ${status}`);
}

export type InvalidResponse =
  | 'redirect'
  | 'compressed'
  | 'too large'
  | 'HTML'
  | 'not HTTP'
  | 'headers too large';

export function invalidResponse(what: InvalidResponse): ProbeFailure {
  return failed('invalid_response', `invalid response: ${what}`);
}

export class UnsafeAddress extends Error {
  override readonly name = 'UnsafeAddress';
  readonly code = 'TF_UNSAFE_ADDRESS';
}

const unreachableWords: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ENETUNREACH', 'unreachable'],
  ['EHOSTUNREACH', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable'],
  ['ENETDOWN', 'unreachable'],
  ['EHOSTDOWN', 'unreachable'],
  ['ETIMEDOUT', 'timed out'],
]);

const brokenWords: ReadonlyMap<string, string> = new Map([
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['UND_ERR_SOCKET', 'closed'],
]);

const dnsCodes: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'EAI_NONAME',
  'ENODATA',
  'ESERVFAIL',
]);

/** Codes of a certificate that does not verify, as Node names OpenSSL's verdicts. */
const certificateCode =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_|ERR_SSL_|EPROTO$|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH|ERROR_IN_)/;

/** The code of an error or of the error behind it; several connection attempts give one of each. */
function codeOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 4) return '';
  if (error instanceof AggregateError) {
    for (const inner of error.errors) {
      const code = codeOf(inner, depth + 1);
      if (code !== '') return code;
    }
  }
  const behind = codeOf(error.cause, depth + 1);
  if (behind !== '') return behind;
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** The failure for an error of the connection, classified by its code. */
export function failureOf(error: unknown): ProbeFailure {
  // The parser's error has a code for some faults only.
  if (error instanceof Error && error.name === 'HTTPParserError')
    return invalidResponse('not HTTP');
  const code = codeOf(error);
  if (code === 'TF_UNSAFE_ADDRESS') {
    return failed('unsafe_address', 'connection failed: address not allowed');
  }
  if (dnsCodes.has(code)) return failed('dns', 'DNS resolution failed');
  if (certificateCode.test(code)) return failed('tls', 'TLS certificate error');
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return invalidResponse('headers too large');
  }
  const unreachable = unreachableWords.get(code);
  if (unreachable !== undefined) return failed('unreachable', `connection failed: ${unreachable}`);
  return failed('connection', `connection failed: ${brokenWords.get(code) ?? 'other'}`);
}
