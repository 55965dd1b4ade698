// When what happened to one request, on a monotonic clock in ms: what of its time was ours, and
// whether it has taken too long as a whole, or its client has. What an attempt has waited for too long
// stands in attempt-limits.ts; a client that reads slowly counts before the limits of a backend that
// we have paused because of it.

import type { UpstreamTimeouts } from './attempt-limits.ts';

export class RequestTimes {
  readonly receivedMs: number;
  /** First byte of the answer after the head of the request, ms. */
  firstByteMs: number | undefined;
  answeredMs = 0;
  #queueMs = 0;
  #queuedSinceMs: number | undefined;
  #readingSinceMs: number | undefined;
  /** Attempts under way, and since when there is one. */
  #attempts = 0;
  #workingSinceMs = 0;
  #blockedSinceMs: number | undefined;
  #activityMs = 0;
  #waitedMs = 0;

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

  /** A backend is asked; a second one may be while the first is at work. */
  attemptBegan(nowMs: number): void {
    if (this.#attempts === 0) {
      this.#workingSinceMs = nowMs;
      this.#activityMs = nowMs;
    }
    this.#attempts++;
  }

  /** To be called once for each attempt that began. */
  attemptEnded(nowMs: number): void {
    this.#attempts--;
    if (this.#attempts === 0) this.#waitedMs += nowMs - this.#workingSinceMs;
  }

  /** A backend has sent something. */
  sent(nowMs: number): void {
    this.#activityMs = nowMs;
  }

  /** The first byte of the answer is there. */
  firstByte(nowMs: number): void {
    this.firstByteMs = nowMs - this.receivedMs;
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
    const working = this.#attempts === 0 ? 0 : this.#activityMs - this.#workingSinceMs;
    const others = this.#waitedMs + this.queueMs(nowMs) + reading + working;
    return Math.max(0, nowMs - this.receivedMs - others);
  }

  /** Has the whole request, or its client, taken longer than it may? */
  passedLimit(nowMs: number, limits: UpstreamTimeouts): 'total' | 'reader' | undefined {
    if (nowMs - this.receivedMs > limits.totalMs) return 'total';
    const since = this.#blockedSinceMs;
    return since !== undefined && nowMs - since > limits.slowReaderMs ? 'reader' : undefined;
  }
}
