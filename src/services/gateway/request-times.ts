// When what happened to one request, on a monotonic clock in ms: what of its time was ours, and
// which limit it has passed. A limit belongs to what is being waited for:
//
//   total        the whole request, all its attempts
//   connect      a connection to the backend            headers      the head of its answer
//   first_token  the first content of a stream          idle         the next byte of an answer
//
// The client's own slowness (`reader`) counts before the limits of a backend that we have paused
// because of it.

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

export type PassedLimit =
  | { readonly kind: 'backend'; readonly timer: LimitName; readonly limitMs: number }
  | { readonly kind: 'reader' };

export class RequestTimes {
  readonly receivedMs: number;
  /** First byte of the answer after the head of the request, ms. */
  firstByteMs: number | undefined;
  answeredMs = 0;
  #queueMs = 0;
  #queuedSinceMs: number | undefined;
  #readingSinceMs: number | undefined;
  #waitingSinceMs: number | undefined;
  #blockedSinceMs: number | undefined;
  #dispatchedMs = 0;
  #activityMs = 0;
  #waitedMs = 0;
  #backendMs = 0;

  constructor(receivedMs: number) {
    this.receivedMs = receivedMs;
  }

  /** The client is sending its body. */
  readingBegan(nowMs: number): void {
    this.#readingSinceMs = nowMs;
  }

  readingEnded(nowMs: number): void {
    if (this.#readingSinceMs === undefined) return;
    this.#waitedMs += nowMs - this.#readingSinceMs;
    this.#readingSinceMs = undefined;
  }

  /** It waits for a backend. */
  queueBegan(nowMs: number): void {
    this.#queuedSinceMs = nowMs;
  }

  queueEnded(nowMs: number): void {
    if (this.#queuedSinceMs === undefined) return;
    this.#queueMs = this.queueMs(nowMs);
    this.#queuedSinceMs = undefined;
  }

  /** How long it has waited for a backend; 0 without any wait. */
  queueMs(nowMs: number): number {
    const since = this.#queuedSinceMs;
    return since === undefined ? this.#queueMs : this.#queueMs + nowMs - since;
  }

  attemptBegan(nowMs: number): void {
    this.#dispatchedMs = nowMs;
    this.#activityMs = nowMs;
    this.#waitingSinceMs = nowMs;
  }

  attemptEnded(nowMs: number): void {
    if (this.#waitingSinceMs === undefined) return;
    this.#backendMs = nowMs - this.#waitingSinceMs;
    this.#waitedMs += this.#backendMs;
    this.#waitingSinceMs = undefined;
  }

  /** How long the backend of the last attempt worked, once that is over; 0 without any. */
  get backendMs(): number {
    return this.#backendMs;
  }

  /** The backend has sent something. */
  sent(nowMs: number): void {
    this.#activityMs = nowMs;
  }

  /** The first byte of the answer is there; how long the backend took for it. */
  firstByte(nowMs: number): number {
    this.firstByteMs = nowMs - this.receivedMs;
    return Math.max(0, nowMs - this.#dispatchedMs);
  }

  get isBlocked(): boolean {
    return this.#blockedSinceMs !== undefined;
  }

  /** The client does not take what was written to it. */
  blocked(nowMs: number): void {
    this.#blockedSinceMs = nowMs;
  }

  unblocked(nowMs: number): void {
    this.#blockedSinceMs = undefined;
    this.#activityMs = nowMs;
  }

  /** Time that was ours: neither the client sending its body nor a backend at work counts, nor a wait for one. */
  overheadMs(nowMs: number): number {
    const reading = this.#readingSinceMs === undefined ? 0 : nowMs - this.#readingSinceMs;
    const working =
      this.#waitingSinceMs === undefined ? 0 : this.#activityMs - this.#waitingSinceMs;
    const others = this.#waitedMs + this.queueMs(nowMs) + reading + working;
    return Math.max(0, nowMs - this.receivedMs - others);
  }

  passedLimit(nowMs: number, awaited: Awaited, limits: UpstreamTimeouts): PassedLimit | undefined {
    const passed = (timer: LimitName, sinceMs: number, limitMs: number): PassedLimit | undefined =>
      nowMs - sinceMs > limitMs ? { kind: 'backend', timer, limitMs } : undefined;
    const total = passed('total', this.receivedMs, limits.totalMs);
    if (total !== undefined) return total;
    if (this.#blockedSinceMs !== undefined) {
      return nowMs - this.#blockedSinceMs > limits.slowReaderMs ? { kind: 'reader' } : undefined;
    }
    switch (awaited) {
      case 'connection':
        return passed('connect', this.#dispatchedMs, limits.connectMs);
      case 'head':
        return passed('headers', this.#dispatchedMs, limits.firstByteMs);
      case 'first_content':
        // What comes before the first content, comments above all, does not put this limit off.
        return passed('first_token', this.#dispatchedMs, limits.firstByteMs);
      case 'more':
        return passed('idle', this.#activityMs, limits.idleMs);
    }
  }
}
