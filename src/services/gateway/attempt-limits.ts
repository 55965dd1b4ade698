// Which limit an attempt at a backend has passed. A limit belongs to what is being waited for:
//
//   connect      a connection to the backend            headers      the head of its answer
//   first_token  the first content of a stream          idle         the next byte of an answer
//
// `total` is of the whole request, all its attempts (request-times.ts).

export type LimitName = 'total' | 'connect' | 'headers' | 'first_token' | 'idle';

export type UpstreamTimeouts = {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
  readonly slowReaderMs: number;
};

/** What an attempt is waiting for. */
export type Awaited = 'connection' | 'head' | 'first_content' | 'more';

export type PassedLimit = { readonly timer: LimitName; readonly limitMs: number };

/** Monotonic ms. */
export type AttemptMoments = {
  readonly dispatchedMs: number;
  /** The backend sent something, or the client took what had been sent. */
  readonly activityMs: number;
};

/** Undefined while none has passed; a limit has passed when more than it has. */
export function passedLimit(
  awaited: Awaited,
  { dispatchedMs, activityMs }: AttemptMoments,
  nowMs: number,
  limits: UpstreamTimeouts,
): PassedLimit | undefined {
  const passed = (timer: LimitName, sinceMs: number, limitMs: number): PassedLimit | undefined =>
    nowMs - sinceMs > limitMs ? { timer, limitMs } : undefined;
  switch (awaited) {
    case 'connection':
      return passed('connect', dispatchedMs, limits.connectMs);
    case 'head':
      return passed('headers', dispatchedMs, limits.firstByteMs);
    case 'first_content':
      // What comes before the first content, comments above all, does not put this limit off.
      return passed('first_token', dispatchedMs, limits.firstByteMs);
    case 'more':
      return passed('idle', activityMs, limits.idleMs);
  }
}
