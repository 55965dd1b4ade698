// Does a media query hold? For the few places where the width changes what is rendered.

import { useCallback, useSyncExternalStore } from 'react';

export const narrowQuery = '(max-width: 959px)';
export const peekQuery = '(min-width: 1280px)';

export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = matchMedia(query);
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}
