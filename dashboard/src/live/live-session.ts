// The shell around `connection.ts` and `patches.ts`: it owns the one WebSocket of this tab, the one
// timer, and the animation frame in which patches reach the query cache, at most four times a second.
// A hidden page holds no socket; the page that comes back refetches and listens again. It refetches
// once more at the `Resync` that follows: from then on the server sends whatever is not listed yet.

import type { QueryClient } from '@tanstack/react-query';
import { meQuery } from '../api/queries.ts';
import { parseLiveUpdate } from '../api/shapes.ts';
import { applyPatches, listsUpdatedAt, readListsAgain } from './cached-lists.ts';
import {
  type Connection,
  type ConnectionEffect,
  type ConnectionEvent,
  idle,
  nextDeadline,
  stepConnection,
} from './connection.ts';
import { addPatch, noPatches } from './patches.ts';

export type LiveState = {
  readonly connection: Connection;
  /** When data last arrived, by message or by fetch, ms since the epoch. */
  readonly dataAt: number | undefined;
};

export type LiveSession = {
  readonly read: () => LiveState;
  readonly subscribe: (listener: () => void) => () => void;
  /** Closes the socket and forgets the timers. The session is not used again. */
  readonly stop: () => void;
};

export const initialLiveState: LiveState = { connection: idle, dataAt: undefined };

/** Faster than this nobody reads, and each flush renders the tables. */
const flushEveryMs = 250;

function socketUrl(): string {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return `${scheme}//${location.host}/ws`;
}

/** Starts listening at once. One session per signed-in page. */
export function startLiveSession(queryClient: QueryClient): LiveSession {
  const listeners = new Set<() => void>();
  let state = initialLiveState;
  let patches = noPatches;
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let frame: number | undefined;
  let flushTimer: ReturnType<typeof setTimeout> | undefined;
  let flushedAt = 0;

  function publish(next: LiveState): void {
    state = next;
    for (const listener of listeners) listener();
  }

  /** The cache knows when an entry last got data; a fetch that failed leaves its time alone. */
  function publishDataAge(): void {
    publish({ ...state, dataAt: listsUpdatedAt(queryClient) });
  }

  function refetch(): void {
    readListsAgain(queryClient).then(publishDataAge, publishDataAge);
  }

  function scheduleFlush(): void {
    if (frame !== undefined || flushTimer !== undefined) return;
    const waitMs = Math.max(0, flushedAt + flushEveryMs - performance.now());
    flushTimer = setTimeout(() => {
      flushTimer = undefined;
      frame = requestAnimationFrame(flush);
    }, waitMs);
  }

  function flush(): void {
    frame = undefined;
    flushedAt = performance.now();
    const { resync } = patches;
    patches = applyPatches(queryClient, patches);
    if (resync) refetch();
    publishDataAge();
  }

  function onMessage(event: MessageEvent<unknown>): void {
    send({ type: 'MessageHeard' });
    const update = typeof event.data === 'string' ? parseLiveUpdate(event.data) : undefined;
    if (update === undefined) return;
    patches = addPatch(patches, update);
    scheduleFlush();
  }

  function openSocket(): void {
    const opened = new WebSocket(socketUrl());
    socket = opened;
    opened.addEventListener('open', () => send({ type: 'SocketOpened' }));
    opened.addEventListener('message', onMessage);
    // An error is always followed by a close, which is the one that counts.
    opened.addEventListener('close', () => {
      if (socket !== opened) return;
      socket = undefined;
      send({ type: 'SocketLost' });
    });
  }

  function closeSocket(): void {
    const closed = socket;
    socket = undefined;
    closed?.removeEventListener('message', onMessage);
    closed?.close();
  }

  const run: Readonly<Record<ConnectionEffect, () => void>> = {
    openSocket,
    closeSocket,
    refetch,
    checkSession: () => {
      queryClient.invalidateQueries({ queryKey: meQuery.queryKey }).catch(() => undefined);
    },
  };

  function send(event: ConnectionEvent): void {
    const step = stepConnection(state.connection, event, Date.now());
    if (step.next !== state.connection) publish({ ...state, connection: step.next });
    for (const effect of step.effects) run[effect]();
    clearTimeout(timer);
    const deadline = nextDeadline(state.connection);
    if (deadline === undefined || deadline === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(() => send({ type: 'Ticked' }), Math.max(0, deadline - Date.now()));
  }

  function onVisibility(): void {
    send({ type: document.hidden ? 'Stopped' : 'Started' });
  }

  function onOnline(): void {
    if (!document.hidden) send({ type: 'Started' });
  }

  document.addEventListener('visibilitychange', onVisibility);
  window.addEventListener('online', onOnline);
  onVisibility();

  return {
    read: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: () => {
      document.removeEventListener('visibilitychange', onVisibility);
      window.removeEventListener('online', onOnline);
      send({ type: 'Stopped' });
      clearTimeout(timer);
      clearTimeout(flushTimer);
      if (frame !== undefined) cancelAnimationFrame(frame);
      listeners.clear();
    },
  };
}
