// What a pool needs to know of a connection, whether plain or TLS.
//
//     connecting -> busy <-> idle
//          \_________\________\_____ gone (never comes back)
//
// A connection carries one exchange at a time. Invariants: `onGone` is called exactly once; `onIdle` only
// after a complete, unambiguous answer without surplus whose request was sent whole; a byte that
// arrives while idle ends the connection.

import type { FailureReason, UpstreamHandler, UpstreamRequest } from './upstream.ts';

export interface UpstreamConnection {
  /** Until when it may stay idle, or be connecting, on the clock of `sweep`. */
  deadlineMs: number;
  /** Established, and the request was handed to it. */
  readonly isConnected: boolean;
  readonly isIdle: boolean;
  /** Sends a request on a new or idle connection. */
  send(user: ConnectionUser, request: UpstreamRequest): void;
  pause(): void;
  resume(): void;
  /** Ends the connection; its user hears nothing. */
  destroy(): void;
  /** Ends the connection and tells its user why. */
  fail(reason: FailureReason): void;
}

export interface ConnectionUser {
  readonly handler: UpstreamHandler;
  /** The answer is complete; the connection is already idle or gone. */
  onAnswered(): void;
  /** `isRace`: a reused connection was closed before the first byte of the answer. */
  onFailed(reason: FailureReason, responseStarted: boolean, isRace: boolean): void;
}

export interface ConnectionOwner {
  /**
   * Whether the owner keeps the connection; if not, the connection ends itself. `idleMs` is the idle
   * time that the peer announced.
   */
  onIdle(connection: UpstreamConnection, idleMs: number | undefined): boolean;
  onGone(connection: UpstreamConnection): void;
}
