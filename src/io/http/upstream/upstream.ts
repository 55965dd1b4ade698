// The contract between the gateway and whatever speaks to a backend: one request, one handler, one ending.
//
// The receiver of an answer implements `UpstreamHandler` itself, so a request costs no closure and no
// promise. Invariants every client of this folder keeps:
//   I1  exactly one of `onEnd` and `onError` is called, once, and nothing after it;
//   I2  neither is called before `request` has returned, nor ever after `abort`;
//   I3  `onHead` comes at most once and before the first `onData`;
//   I4  a failure is described by words from the list below, never by text of the peer.

export type UpstreamRequest = {
  readonly method: 'GET' | 'POST';
  /** Origin-form, chosen by us and never the client's. */
  readonly path: string;
  /** Flat `[name, value, ...]`, lower-case names, without host, content-length and connection. */
  readonly headers: readonly string[];
  /** Whole and already checked; it must not change before the exchange has ended. */
  readonly body: Buffer | undefined;
};

export type UpstreamFailureKind =
  | 'connect'
  | 'reset'
  | 'malformed'
  | 'short'
  | 'too_large'
  | 'aborted'
  | 'tls'
  | 'dns';

export type UpstreamFailure = {
  readonly kind: UpstreamFailureKind;
  /** From a fixed list: fit for a log and for a client. */
  readonly words: string;
  /** True when at least one byte of an answer had arrived, so the backend had begun. */
  readonly responseStarted: boolean;
};

export interface UpstreamHandler {
  /**
   * The final head: flat headers, lower-case names, without the hop-by-hop ones and without those
   * that `Connection` names. Interim (1xx) heads are not shown.
   */
  onHead(status: number, headers: readonly string[]): void;
  /** Body bytes without framing. They are overwritten after the call: decode or copy them. */
  onData(chunk: Buffer): void;
  /**
   * The answer is complete. An answer without length or chunks ends with its connection, which
   * cannot tell an end from a cut: the receiver must look for an end inside the content.
   */
  onEnd(): void;
  onError(failure: UpstreamFailure): void;
}

export interface UpstreamExchange {
  /** A socket is established and the request was handed to it. */
  readonly connected: boolean;
  /** Destroys the socket at once; the handler hears nothing more. */
  abort(): void;
  /**
   * Lets go of the request's body, which may be large where the answer is long. Only once the head
   * of the answer is there: before it, the request may still be repeated.
   */
  forgetRequest(): void;
  /** Stops reading from the socket; what one read had already brought is still delivered. */
  pause(): void;
  resume(): void;
}

export type UpstreamStats = {
  /** Sockets being connected, busy or idle. */
  readonly open: number;
  readonly idle: number;
  /** Sockets opened since the start. */
  readonly opened: number;
  /** Requests that went out on a socket that had served one before. */
  readonly reused: number;
  /** Requests repeated on a fresh socket because a reused one was closed under them. */
  readonly retriedOnFresh: number;
};

export interface UpstreamPool {
  request(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange;
  /** Expires idle sockets and slow connects. The owner calls it about once per second. */
  sweep(nowMs: number): void;
  /** Closes idle sockets now and busy ones when their exchange ends; new requests fail. */
  close(): void;
  readonly stats: UpstreamStats;
}

export type UpstreamLimits = {
  /** Status line and headers of one answer, or its trailers, in bytes. Default 32 KiB. */
  readonly headBytesMax?: number;
  /** Interim (1xx) answers before the final one. Default 8. */
  readonly interimAnswersMax?: number;
  /** Body of an answer that is not an event stream, in bytes. Default 64 MiB. */
  readonly bodyBytesMax?: number;
  /** Size and extensions of one chunk, in bytes. Default 1 KiB. */
  readonly chunkLineBytesMax?: number;
};

export type ResolvedLimits = Required<UpstreamLimits>;

export function resolveLimits(limits: UpstreamLimits = {}): ResolvedLimits {
  return {
    headBytesMax: limits.headBytesMax ?? 32 * 1024,
    interimAnswersMax: limits.interimAnswersMax ?? 8,
    bodyBytesMax: limits.bodyBytesMax ?? 64 * 1024 * 1024,
    chunkLineBytesMax: limits.chunkLineBytesMax ?? 1024,
  };
}

const REASONS = {
  connect: { kind: 'connect', words: 'the connection could not be opened' },
  connect_time: { kind: 'connect', words: 'the connection was not opened in time' },
  dns: { kind: 'dns', words: 'the host name could not be resolved' },
  tls: { kind: 'tls', words: 'the secure connection could not be established' },
  reset: { kind: 'reset', words: 'the connection was closed before an answer' },
  short: { kind: 'short', words: 'the connection was closed inside the answer' },
  closed: { kind: 'aborted', words: 'the backend is no longer in use' },
  head_size: { kind: 'too_large', words: 'the head of the answer exceeds its limit' },
  body_size: { kind: 'too_large', words: 'the body of the answer exceeds its limit' },
  head: { kind: 'malformed', words: 'the head of the answer is not valid HTTP/1.1' },
  length: { kind: 'malformed', words: 'the length of the answer is not valid' },
  framing: { kind: 'malformed', words: 'the framing of the answer is ambiguous' },
  coding: { kind: 'malformed', words: 'the transfer coding of the answer is not supported' },
  interim: { kind: 'malformed', words: 'too many interim answers' },
  upgrade: { kind: 'malformed', words: 'the backend switched protocols unasked' },
  chunk: { kind: 'malformed', words: 'a chunk of the answer is not valid' },
  trailer: { kind: 'malformed', words: 'the trailers of the answer are not valid' },
} as const satisfies Record<string, { kind: UpstreamFailureKind; words: string }>;

export type FailureReason = keyof typeof REASONS;

export function failureOf(reason: FailureReason, responseStarted: boolean): UpstreamFailure {
  return { ...REASONS[reason], responseStarted };
}

const NAME_NOT_FOUND = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME']);

/** Whether a socket error speaks of the name rather than of the connection. */
export function isNameError(error: unknown): boolean {
  const code = errorCode(error);
  return code !== undefined && NAME_NOT_FOUND.has(code);
}

export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
