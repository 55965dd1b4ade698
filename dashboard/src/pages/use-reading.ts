// Is someone reading this list? The pointer or the focus is on it or was just now, it is scrolled away
// from its top, or Pause was pressed. A list that is read does not move.

import { useEffect, useMemo, useState } from 'react';

export type Reading = {
  readonly holds: boolean;
  readonly scrolled: boolean;
  readonly paused: boolean;
  readonly setPaused: (paused: boolean) => void;
  readonly onScrolled: (isAtTop: boolean) => void;
  /** For the element around the list. */
  readonly watch: {
    readonly onPointerEnter: () => void;
    readonly onPointerLeave: () => void;
    readonly onFocus: () => void;
    readonly onBlur: () => void;
  };
};

/** Long enough to get from a row to the button that counts what is new before it is gone. */
const lingerMs = 1000;

/** Stays true for a moment after `isNear` has become false. */
function useLingering(isNear: boolean): boolean {
  const [lingers, setLingers] = useState(isNear);
  if (isNear && !lingers) setLingers(true);
  useEffect(() => {
    if (isNear || !lingers) return undefined;
    const timer = setTimeout(() => setLingers(false), lingerMs);
    return () => clearTimeout(timer);
  }, [isNear, lingers]);
  return lingers;
}

export function useReading(): Reading {
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [paused, setPaused] = useState(false);
  const isNear = useLingering(pointed || focused);
  const watch = useMemo(
    () => ({
      onPointerEnter: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      onFocus: () => setFocused(true),
      onBlur: () => setFocused(false),
    }),
    [],
  );
  return {
    holds: isNear || scrolled || paused,
    scrolled,
    paused,
    setPaused,
    onScrolled: (isAtTop) => setScrolled(!isAtTop),
    watch,
  };
}
