// May single keys do something here? Some people's software types letters for them, so the keys can
// be switched off (WCAG 2.1.4); the choice is kept in this browser.

const storageKey = 'tensorforge.shortcuts';

/** Does the key belong to what has the focus, or to a dialog or menu that is open? */
export function isKeyTaken(event: KeyboardEvent): boolean {
  if (document.querySelector('[role=dialog], [role=alertdialog], [role=menu]') !== null)
    return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select');
}

/** On until somebody switched them off. A browser that forbids storage has them on. */
export function readShortcuts(): boolean {
  try {
    return localStorage.getItem(storageKey) !== 'off';
  } catch {
    return true;
  }
}

export function keepShortcuts(on: boolean): void {
  try {
    if (on) localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, 'off');
  } catch {
    // Without storage they stay on.
  }
}
