// Listens for “g” and a letter on the whole page (`go-keys.ts`), unless the keys are switched off.

import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { type GoWait, stepGoKeys } from './go-keys.ts';
import { isKeyTaken, readShortcuts } from './shortcuts.ts';

export function useGoKeys(): void {
  const navigate = useNavigate();
  useEffect(() => {
    let wait: GoWait;
    function onKeyDown(event: KeyboardEvent): void {
      const { key, ctrlKey, altKey, metaKey } = event;
      if (!readShortcuts()) return;
      const press = { key, modified: ctrlKey || altKey || metaKey, taken: isKeyTaken(event) };
      const step = stepGoKeys(wait, press, event.timeStamp);
      wait = step.wait;
      if (step.to === undefined) return;
      event.preventDefault();
      void navigate({ to: step.to });
    }
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [navigate]);
}
