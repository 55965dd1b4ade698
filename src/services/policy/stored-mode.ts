// The ladder's state as the database keeps it, and back. The pin has a column of its own, so that a
// person who looks into the table finds it.

import type { Json } from '../../base/canonical.ts';
import { initialLadder, type LadderState } from '../../core/policy/ladder-state.ts';
import { isLadderState } from '../../core/policy/mode-record.ts';
import { isServingMode } from '../../core/policy/serving-mode.ts';
import type { StoredMode } from '../../io/postgres/serving-mode-store.ts';

export function storedState(state: LadderState): { readonly state: Json; readonly pin: Json } {
  const { pin, ...rest } = state;
  return { state: rest, pin };
}

type RestoredMode = {
  readonly state: LadderState;
  /** Why the stored row was of no use; undefined when it was, or when there was none. */
  readonly problem: string | undefined;
};

/**
 * The state to go on from at `at` (Unix ms). Of a row that cannot be read the mode is kept where
 * that can, so that a restart never loosens what protected the fleet.
 */
export function restoreMode(row: StoredMode['row'], at: number): RestoredMode {
  if (row === undefined) return { state: initialLadder(at), problem: undefined };
  const { mode, state, pin } = row;
  const whole: unknown = typeof state === 'object' ? { ...state, pin } : undefined;
  if (isLadderState(whole) && whole.mode === mode) return { state: whole, problem: undefined };
  const kept = isServingMode(mode) ? mode : 'normal';
  const problem = `the stored serving mode cannot be read and was set aside; going on in ${kept}`;
  return { state: initialLadder(at, kept), problem };
}
