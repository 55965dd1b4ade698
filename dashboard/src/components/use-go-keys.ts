// Listens for “g” and a letter on the whole page (`go-keys.ts`), unless the keys are switched off.

import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { type GoWait, stepGoKeys } from './go-keys.ts';
import { readShortcuts } from './shortcuts.ts';

/** Does the key belong to what has the focus, or to a dialog or menu that is open? */
function isTaken(event: KeyboardEvent): boolean {
  if (document.querySelector('[role=dialog], [role=alertdialog], [role=menu]') !== null)
    return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select');
}

export function useGoKeys(): void {
  const navigate = useNavigate();
  useEffect(() => {
    let wait: GoWait;
    function onKeyDown(event: KeyboardEvent): void {
      const { key, ctrlKey, altKey, metaKey } = event;
      if (!readShortcuts()) return;
      const press = { key, modified: ctrlKey || altKey || metaKey, taken: isTaken(event) };
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
