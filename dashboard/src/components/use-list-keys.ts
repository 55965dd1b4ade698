// The keys of a page with a list: `/` goes to its filter, `j` and `k` from row to row, Space looks at
// the row beside the list, Esc closes that again. Enter opens a row by itself, because what has the
// focus there is a link. Rows are found by `tr[data-key]` and their link in the first cell.

import { type RefObject, useEffect, useRef } from 'react';
import { isKeyTaken, readShortcuts } from './shortcuts.ts';

export type ListKeys = {
  readonly list: RefObject<HTMLElement | null>;
  readonly filter: RefObject<HTMLInputElement | null>;
  /** With the `data-key` of the row that has the focus. */
  readonly onPeek: (key: string) => void;
  readonly onClose: () => void;
};

const rowLink = 'tr[data-key] > th a';

function focusedLink(list: HTMLElement | null): HTMLElement | undefined {
  const { activeElement } = document;
  if (!(activeElement instanceof HTMLElement) || list === null) return undefined;
  return list.contains(activeElement) && activeElement.matches(rowLink) ? activeElement : undefined;
}

function moveBy(step: 1 | -1, list: HTMLElement | null): void {
  const links = [...(list?.querySelectorAll<HTMLElement>(rowLink) ?? [])];
  const held = focusedLink(list);
  const at = held === undefined ? (step === 1 ? -1 : links.length) : links.indexOf(held);
  links[at + step]?.focus();
}

type Act = (keys: ListKeys, event: KeyboardEvent) => boolean;

/** Each says whether it did something, so that the browser does nothing besides. */
const acts: ReadonlyMap<string, Act> = new Map<string, Act>([
  [
    '/',
    ({ filter }) => {
      filter.current?.focus();
      return filter.current !== null;
    },
  ],
  [
    'j',
    ({ list }) => {
      moveBy(1, list.current);
      return true;
    },
  ],
  [
    'k',
    ({ list }) => {
      moveBy(-1, list.current);
      return true;
    },
  ],
  [
    ' ',
    ({ list, onPeek }) => {
      const key = focusedLink(list.current)?.closest('tr')?.dataset['key'];
      if (key !== undefined) onPeek(key);
      return key !== undefined;
    },
  ],
  [
    'Escape',
    ({ onClose }) => {
      onClose();
      return false;
    },
  ],
]);

export function useListKeys(keys: ListKeys): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent): void {
      const act = acts.get(event.key);
      if (act === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      if (!readShortcuts() || isKeyTaken(event)) return;
      if (act(latest.current, event)) event.preventDefault();
    }
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);
}
