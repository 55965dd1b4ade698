// Rows that do not move while someone reads them: while `holds` is true the list stays as it was,
// and what came meanwhile is counted instead.

import { useState } from 'react';
import type { DecisionWire } from '../api/wire.ts';
import { countUnseen } from '../live/patches.ts';

type Rows = readonly DecisionWire[];

export type HeldRows = {
  readonly rows: Rows;
  /** How many newer rows wait; 0 while the list follows. */
  readonly unseen: number;
  /** Takes in what waits and goes on holding. */
  readonly catchUp: () => void;
};

export function useHeldRows(latest: Rows, holds: boolean): HeldRows {
  const [kept, setKept] = useState<Rows>();
  if (holds && kept === undefined) setKept(latest);
  if (!holds && kept !== undefined) setKept(undefined);
  const rows = holds ? (kept ?? latest) : latest;
  return { rows, unseen: countUnseen(rows, latest), catchUp: () => setKept(latest) };
}
