// “g” and then the letter of a page opens it. A pure step, so that each order of keys can be tried:
//
//   nothing ── g ──> waiting until now + 1.5 s ── letter of a page ──> go, nothing
//                                              ── anything else, or too late ──> nothing
//
// Keys that are typed into something, or pressed together with another, never count.

import { type PagePath, pageEntries } from './pages.ts';

/** When the letter must have come, ms; undefined while no `g` was pressed. */
export type GoWait = number | undefined;

const letterWithinMs = 1500;

export type KeyPress = {
  readonly key: string;
  /** Ctrl, Alt or Meta is held. */
  readonly modified: boolean;
  /** It goes into an input, or a dialog is open. */
  readonly taken: boolean;
};

export type GoStep = { readonly wait: GoWait; readonly to: PagePath | undefined };

export function stepGoKeys(wait: GoWait, press: KeyPress, nowMs: number): GoStep {
  if (press.modified || press.taken) return { wait: undefined, to: undefined };
  const isAwaited = wait !== undefined && nowMs <= wait;
  if (isAwaited) {
    const to = pageEntries.find(({ letter }) => letter === press.key)?.to;
    if (to !== undefined) return { wait: undefined, to };
  }
  return { wait: press.key === 'g' ? nowMs + letterWithinMs : undefined, to: undefined };
}
