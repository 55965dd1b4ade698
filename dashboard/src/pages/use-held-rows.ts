// Rows that do not move while someone reads them: while `holds` is true the list stays as it was,
// and what came meanwhile is counted instead.

import { useState } from 'react';
import { countUnseen } from '../live/patches.ts';

export type HeldRows<Row> = {
  readonly rows: readonly Row[];
  /** How many newer rows wait; 0 while the list follows. */
  readonly unseen: number;
  /** Takes in what waits and goes on holding. */
  readonly catchUp: () => void;
};

export type HeldRowsInput<Row> = {
  /** Newest first. */
  readonly latest: readonly Row[];
  readonly holds: boolean;
  readonly keyOf: (row: Row) => string;
};

export function useHeldRows<Row>({ latest, holds, keyOf }: HeldRowsInput<Row>): HeldRows<Row> {
  const [kept, setKept] = useState<readonly Row[]>();
  if (holds && kept === undefined) setKept(latest);
  if (!holds && kept !== undefined) setKept(undefined);
  const rows = holds ? (kept ?? latest) : latest;
  return { rows, unseen: countUnseen(rows, latest, keyOf), catchUp: () => setKept(latest) };
}
