// Is someone reading this list? The pointer or the focus is on it, it is scrolled away from its top,
// or Pause was pressed. A list that is read does not move.

import { useMemo, useState } from 'react';

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

export function useReading(): Reading {
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [paused, setPaused] = useState(false);
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
    holds: pointed || focused || scrolled || paused,
    scrolled,
    paused,
    setPaused,
    onScrolled: (isAtTop) => setScrolled(!isAtTop),
    watch,
  };
}
