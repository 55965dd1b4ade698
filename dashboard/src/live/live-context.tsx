// What the frame and the pages know of the live connection: its state, and how many rows a page
// holds back because someone is reading them.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react';
import { overviewQuery } from '../api/queries.ts';
import {
  initialLiveState,
  type LiveSession,
  type LiveState,
  startLiveSession,
} from './live-session.ts';

type LiveContextValue = {
  readonly session: LiveSession | undefined;
  readonly held: number | undefined;
  readonly setHeld: (held: number | undefined) => void;
};

const LiveContext = createContext<LiveContextValue>({
  session: undefined,
  held: undefined,
  setHeld: () => undefined,
});

/** Listens for as long as it is mounted; the frame of the signed-in pages mounts it once. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const queryClient = useQueryClient();
  const [session, setSession] = useState<LiveSession>();
  const [held, setHeld] = useState<number>();
  // Held on every page, so that the fallback has something to poll and its age is known.
  useQuery({ ...overviewQuery, notifyOnChangeProps: [] });
  useEffect(() => {
    const started = startLiveSession(queryClient);
    setSession(started);
    return started.stop;
  }, [queryClient]);
  const value = useMemo(() => ({ session, held, setHeld }), [session, held]);
  return <LiveContext value={value}>{children}</LiveContext>;
}

function subscribeToNothing(): () => void {
  return () => undefined;
}

export function useLiveState(): LiveState {
  const { session } = useContext(LiveContext);
  return useSyncExternalStore(
    session?.subscribe ?? subscribeToNothing,
    session?.read ?? (() => initialLiveState),
  );
}

export function useHeldCount(): number | undefined {
  return useContext(LiveContext).held;
}

/** Tells the frame how many rows this page holds back; undefined while it follows. */
export function useReportHeld(held: number | undefined): void {
  const { setHeld } = useContext(LiveContext);
  useEffect(() => {
    setHeld(held);
    return () => setHeld(undefined);
  }, [held, setHeld]);
}
