// The life of the live connection, as a pure machine: what happened and what time it is go in, the
// next state and the effects come out. The shell (`live-session.ts`) owns the socket and the timer.
//
//            start / shown              opened
//   idle ───────────────▶ connecting ───────────▶ live ──┐ heard (stays)
//    ▲  hidden / stopped    ▲   │ lost, too slow    │     │
//    └──────── any ─────────┤   ▼                   │lost, silent
//                           └─ waiting ◀────────────┘
//
// I1  At most one socket is wanted: `openSocket` is asked for only on entering `connecting`, and
//     every way out of `connecting` and `live` that was not the socket's own end closes it.
// I2  From the third failure in a row until the socket opens, snapshots are polled every 5 s.
// I3  Opening a socket always refetches the snapshots: patches may have been missed meanwhile.
// I4  The server speaks every second; 5 s of silence on an open socket is a lost connection.

export const backOffMs: readonly number[] = [3000, 6000, 12_000, 24_000, 48_000, 60_000];
export const failuresBeforePolling = 3;
export const pollEveryMs = 5000;
export const silenceMs = 5000;
export const connectTimeoutMs = 10_000;

export type Connection =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'connecting';
      readonly failures: number;
      readonly giveUpAt: number;
      readonly pollAt: number;
    }
  | { readonly kind: 'live'; readonly heardAt: number }
  | {
      readonly kind: 'waiting';
      readonly failures: number;
      readonly retryAt: number;
      readonly pollAt: number;
    };

export type ConnectionEvent =
  | { readonly type: 'Started' }
  | { readonly type: 'SocketOpened' }
  | { readonly type: 'MessageHeard' }
  | { readonly type: 'SocketLost' }
  | { readonly type: 'Stopped' }
  | { readonly type: 'Ticked' };

export type ConnectionEffect = 'openSocket' | 'closeSocket' | 'refetch' | 'checkSession';

export type ConnectionStep = {
  readonly next: Connection;
  readonly effects: readonly ConnectionEffect[];
};

const never = Number.POSITIVE_INFINITY;

export const idle: Connection = { kind: 'idle' };

/** Does this state fall back to polling? */
export function isPolling(connection: Connection): boolean {
  switch (connection.kind) {
    case 'connecting':
    case 'waiting':
      return connection.failures >= failuresBeforePolling;
    default:
      return false;
  }
}

function stay(connection: Connection): ConnectionStep {
  return { next: connection, effects: [] };
}

function connect(failures: number, pollAt: number, now: number): ConnectionStep {
  return {
    next: { kind: 'connecting', failures, giveUpAt: now + connectTimeoutMs, pollAt },
    effects: ['openSocket'],
  };
}

function wait(
  failures: number,
  pollAt: number,
  now: number,
  effects: readonly ConnectionEffect[],
): ConnectionStep {
  const delayMs = backOffMs[Math.min(failures, backOffMs.length) - 1] ?? 0;
  const polls = failures >= failuresBeforePolling;
  const next: Connection = {
    kind: 'waiting',
    failures,
    retryAt: now + delayMs,
    pollAt: polls ? Math.min(pollAt, now + pollEveryMs) : never,
  };
  // A socket that is refused does not say why; one cheap question finds out a session that ended.
  return { next, effects: [...effects, 'checkSession'] };
}

function stepConnecting(
  connection: Extract<Connection, { kind: 'connecting' }>,
  event: ConnectionEvent,
  now: number,
): ConnectionStep {
  switch (event.type) {
    case 'SocketOpened':
    case 'MessageHeard':
      return { next: { kind: 'live', heardAt: now }, effects: ['refetch'] };
    case 'SocketLost':
      return wait(connection.failures + 1, connection.pollAt, now, []);
    case 'Stopped':
      return { next: idle, effects: ['closeSocket'] };
    case 'Ticked':
      if (now >= connection.giveUpAt) {
        return wait(connection.failures + 1, connection.pollAt, now, ['closeSocket']);
      }
      if (now >= connection.pollAt) {
        return { next: { ...connection, pollAt: now + pollEveryMs }, effects: ['refetch'] };
      }
      return stay(connection);
    case 'Started':
      return stay(connection);
  }
}

function stepLive(
  connection: Extract<Connection, { kind: 'live' }>,
  event: ConnectionEvent,
  now: number,
): ConnectionStep {
  switch (event.type) {
    case 'MessageHeard':
      return stay({ kind: 'live', heardAt: now });
    case 'SocketLost':
      return wait(1, never, now, []);
    case 'Stopped':
      return { next: idle, effects: ['closeSocket'] };
    case 'Ticked':
      return now - connection.heardAt >= silenceMs
        ? wait(1, never, now, ['closeSocket'])
        : stay(connection);
    case 'SocketOpened':
    case 'Started':
      return stay(connection);
  }
}

function stepWaiting(
  connection: Extract<Connection, { kind: 'waiting' }>,
  event: ConnectionEvent,
  now: number,
): ConnectionStep {
  switch (event.type) {
    case 'Started':
      // The page became visible again or the network came back: do not wait any longer.
      return connect(connection.failures, connection.pollAt, now);
    case 'Stopped':
      return stay(idle);
    case 'Ticked':
      if (now >= connection.retryAt) return connect(connection.failures, connection.pollAt, now);
      if (now >= connection.pollAt) {
        return { next: { ...connection, pollAt: now + pollEveryMs }, effects: ['refetch'] };
      }
      return stay(connection);
    // Late news of a socket that was given up.
    case 'SocketOpened':
    case 'MessageHeard':
    case 'SocketLost':
      return stay(connection);
  }
}

/** Pure and total: the same connection, event and time give the same step. Times in ms. */
export function stepConnection(
  connection: Connection,
  event: ConnectionEvent,
  now: number,
): ConnectionStep {
  switch (connection.kind) {
    case 'idle':
      return event.type === 'Started' ? connect(0, never, now) : stay(connection);
    case 'connecting':
      return stepConnecting(connection, event, now);
    case 'live':
      return stepLive(connection, event, now);
    case 'waiting':
      return stepWaiting(connection, event, now);
  }
}

/** When the machine next wants a `Ticked`; undefined when only an event can move it. */
export function nextDeadline(connection: Connection): number | undefined {
  switch (connection.kind) {
    case 'idle':
      return undefined;
    case 'connecting':
      return Math.min(connection.giveUpAt, connection.pollAt);
    case 'live':
      return connection.heardAt + silenceMs;
    case 'waiting':
      return Math.min(connection.retryAt, connection.pollAt);
  }
}
